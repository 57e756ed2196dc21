"""Independent random streams of one seed: using one never shifts another."""

from __future__ import annotations

import hashlib

import torch


def stream(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator for one purpose of one seed, e.g. ``stream(0, "order")``."""
    word = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()[:8]
    return torch.Generator().manual_seed(int.from_bytes(word, "little") >> 1)
