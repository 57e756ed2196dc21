"""Offsets on logits that give their argmax a wanted class histogram."""

from __future__ import annotations

import torch
from torch import Tensor

_STAGES = (0.3, 0.1, 0.03, 0.01)  # softness of the assignment, as a share of the scores' deviation
_ROUNDS = 20  # Sinkhorn rounds at each
_LOWEST = -200.0  # e^-200 and its square are far from float64's limits


def balance_offsets(logits: Tensor, share: Tensor) -> Tensor:
    """Finds one offset per class so that hardened logits follow a given class histogram.

    For two classes the offset of class 0 is minus the published threshold, the ``share[1]``
    quantile of the odds of class 0. For more, the offsets are the Sinkhorn potentials of the
    entropic transport of rows to classes with capacities rows · share, softened less and less; they
    are the smallest correction of the argmax, in the sense of transport, not a re-assignment of
    particular rows.

    Counts are whole, so a class is missed by about one row, at most about 1 % of the rows. With
    fewer rows than classes most capacities are below one row: the classes with the largest
    capacities and scores are filled, the rest get none, and one single row of many classes gets
    its weak argmax. (Of two classes the published rule gives a single row class 0.) The histogram
    is then no better than its rounding; balance over more rows or not at all.

    Args:
        logits: (…, n, k), divided by their temperature; each leading index on its own.
        share: (…, k), non-negative, sums to 1.

    Returns:
        (…, k) for :func:`apply_offsets`, float64 for more than two classes.
    """
    if logits.shape[-1] == 2:
        return _threshold(logits[..., 0] - logits[..., 1], share[..., 1])
    scores = (logits - logits.amax(dim=-1, keepdim=True)).double()
    return _potentials(scores, share.double())


def apply_offsets(logits: Tensor, offsets: Tensor) -> Tensor:
    """argmax(z + b): logits (…, n, k) and offsets (…, k) → (…, n) int64.

    Two classes are compared as the published rule does, odds against a threshold: a row at the
    threshold is of class 0.
    """
    if logits.shape[-1] == 2:
        odds = logits[..., 0] - logits[..., 1]
        return (odds < -offsets[..., :1]).long()
    scores = (logits - logits.amax(dim=-1, keepdim=True)).double()
    return (scores + offsets.unsqueeze(-2)).argmax(dim=-1)


def _threshold(odds: Tensor, share: Tensor) -> Tensor:
    """Odds of class 0 (…, n) and the share of class 1 (…) → offsets (…, 2)."""
    wanted = share.to(odds.dtype).clamp(0.0, 1.0).reshape(-1)
    runs = zip(odds.reshape(-1, odds.shape[-1]), wanted, strict=True)
    threshold = torch.stack([torch.quantile(*run) for run in runs]).view(share.shape)
    return torch.stack([-threshold, torch.zeros_like(threshold)], dim=-1)


def _potentials(scores: Tensor, share: Tensor) -> Tensor:
    """Scores (…, n, k) and shares (…, k), float64 → offsets (…, k); −inf for a share of 0."""
    capacity = (share * scores.shape[-2]).unsqueeze(-2)
    tiny = torch.finfo(scores.dtype).tiny
    unit = scores.std(dim=(-2, -1), correction=0, keepdim=True).clamp_min(1e-12)
    offsets = torch.zeros_like(capacity)
    for stage in _STAGES:
        softness = stage * unit
        kernel = (scores + offsets) / softness
        kernel = (kernel - kernel.amax(dim=-1, keepdim=True)).clamp_min(_LOWEST).exp()
        factor = torch.ones_like(capacity)
        for _ in range(_ROUNDS):
            per_row = 1.0 / (kernel @ factor.mT).clamp_min(tiny)
            factor = capacity / (per_row.mT @ kernel).clamp_min(tiny)
        offsets = offsets + softness * factor.log()
        offsets = offsets - offsets.amax(dim=-1, keepdim=True)
    return offsets.squeeze(-2)
