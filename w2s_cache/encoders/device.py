"""Which device computes."""

from __future__ import annotations

import torch


def resolve_device(name: str) -> str:
    """``"auto"`` → ``"cuda"`` where CUDA works, else ``"cpu"``; other names stay as they are."""
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"
