"""Faults on purpose: kills, full disks, losses of power and flipped bytes, and what must survive.

The tests beside this file run a short form; ``make faults`` runs the long one and writes
``docs/reliability.md``.
"""
