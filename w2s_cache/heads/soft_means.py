"""Means of features under posteriors, and which classes have any.

A class whose posteriors sum to less than the smallest normal float has no weight: its sum keeps
next to no digits, and dividing by it would put a mean of rounding errors near the origin.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NEVER = torch.finfo(torch.float32).min / 2
"""A bias that keeps a class from being predicted, and is far from overflow."""


def has_weight(total: Tensor) -> Tensor:
    """Sums of posteriors (k,) → (k,) bool; NaN is not hidden as a class without weight."""
    return ~(total <= torch.finfo(total.dtype).tiny)


def soft_means(posteriors: Tensor, features: Tensor, total: Tensor) -> Tensor:
    """Mean of the features under each column of posteriors, (k, d).

    Args:
        posteriors: (n, k).
        features: (n, d).
        total: (k,), the sums of the columns.

    Returns:
        The means; the zero vector for a class without weight.
    """
    sums = posteriors.T @ features
    return torch.where(has_weight(total)[:, None], sums / _divisor(total)[:, None], 0)


def mean_directions(posteriors: Tensor, features: Tensor) -> Tensor:
    """Soft means scaled to unit length, (k, d); the zero vector for a class without weight.

    Sums below 1 are divided by first: the length of a small sum is below what normalising by it
    can bear.
    """
    total = posteriors.sum(dim=0)
    sums = posteriors.T @ features / _divisor(total).clamp_max(1)[:, None]
    return functional.normalize(torch.where(has_weight(total)[:, None], sums, 0), dim=-1)


def _divisor(total: Tensor) -> Tensor:
    return total.clamp_min(torch.finfo(total.dtype).tiny)
