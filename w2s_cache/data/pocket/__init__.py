"""Pocket: a miniature DomainNet of 40 classes and six domains, drawn by this package itself.

Nothing is downloaded and nothing is stored: every picture is a pure function of its class, its
domain and a seed. A class is a function that returns vector parts (``shapes``), a domain is a
function that renders parts to 64×64 pixels (``styles``). Class and domain names are DomainNet's.
"""

from __future__ import annotations

from w2s_cache.data.pocket.drawing import CLASSES, DOMAINS, POCKET_VERSION, draw
from w2s_cache.data.pocket.seeds import CLIP_SEEDS, TEST_SEEDS, TRAIN_SEEDS
from w2s_cache.data.pocket.writing import write_pocket

__all__ = [
    "CLASSES",
    "CLIP_SEEDS",
    "DOMAINS",
    "POCKET_VERSION",
    "TEST_SEEDS",
    "TRAIN_SEEDS",
    "draw",
    "write_pocket",
]
