"""The vote of a row's neighbours: their posteriors, the nearer ones counted more.

    v_c(x) = Σ_j w_j p_c(j) / Σ_j w_j,   w_j = exp(cos(x, j) / τ)

over the m nearest rows j, as in weighted kNN classification of frozen features (Wu et al. 2018,
where m = 200 and τ = 0.07).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.neighbours.search import Neighbours


def vote(neighbours: Neighbours, posteriors: Tensor, *, tau: float) -> Tensor:
    """Distribution over classes (q, k) of every query.

    Args:
        neighbours: Rows (q, m) and their cosines, m ≥ 1.
        posteriors: (n, k) of the rows searched, non-negative, each summing to 1.
        tau: Temperature of the weights, > 0, dimensionless.
    """
    weights = functional.softmax(neighbours.cosines.to(posteriors) / tau, dim=-1)
    voted = posteriors.new_zeros(len(weights), posteriors.shape[1])
    rows = neighbours.rows.to(posteriors.device)
    for place in range(rows.shape[1]):  # one neighbour at a time needs q·k numbers, not q·m·k
        voted.addcmul_(posteriors[rows[:, place]], weights[:, place, None])
    return voted


def agreement(neighbours: Neighbours, labels: Tensor, own: Tensor) -> Tensor:
    """Share of each query's neighbours that carry its own label, (q,) float64 in [0, 1].

    Args:
        neighbours: Rows (q, m), m ≥ 1.
        labels: (n,) int64 of the rows searched.
        own: (q,) int64 of the queries.
    """
    return (labels[neighbours.rows] == own.unsqueeze(-1)).double().mean(dim=-1)


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Labels (n,) int64 → posteriors (n, k) float32 that are certain."""
    return functional.one_hot(labels, classes).to(torch.float32)
