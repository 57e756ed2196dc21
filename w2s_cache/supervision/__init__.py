"""Supervision: what a strong model learns from, and on which rows."""
