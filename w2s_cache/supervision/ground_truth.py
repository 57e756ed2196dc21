"""Ground truth in the shape of weak logits: the supervision of the strong ceiling."""

from __future__ import annotations

import torch
from torch import Tensor

_NEVER = -1e9  # softmax of it is exactly 0 in float32 at every temperature up to 1e6


def label_logits(labels: Tensor, classes: int) -> Tensor:
    """Labels (n,) int64 → logits (n, classes) float32 on their device, softmax exactly one-hot."""
    logits = torch.full((len(labels), classes), _NEVER, device=labels.device)
    return logits.scatter_(1, labels.unsqueeze(1), 0.0)
