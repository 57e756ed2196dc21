"""Label propagation: posteriors averaged over nearest neighbours before a head is made of them.

On the graph of each row's m nearest fit rows by cosine, W row-normalised (Zhou et al. 2004, the
fixed point's power iteration):

    q ← (1 − α) q₀ + α W q
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from w2s_cache.heads.discriminant import PooledDiscriminant
from w2s_cache.hyperparameters import require_neighbours, require_rounds, require_shares
from w2s_cache.neighbours.choice import make_index
from w2s_cache.neighbours.search import nearest, unit


@dataclass(frozen=True, slots=True)
class PropagatedDiscriminant(PooledDiscriminant):
    """LDA on pooled posteriors after label propagation; other fields as in PooledDiscriminant.

    Args:
        neighbours: m ≥ 1; as many as there are other rows when there are fewer.
        rounds: How many averagings, 0 to 10 000.
        alpha: α in [0, 1], the neighbours' share.

    Raises:
        TrainError: A value that has no meaning.
    """

    neighbours: int = 10
    rounds: int = 1
    alpha: float = 0.5

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        PooledDiscriminant.__post_init__(self)
        require_shares(alpha=self.alpha)
        require_rounds(least=0, rounds=self.rounds)
        require_neighbours(self.neighbours)

    def refine(self, pooled: Tensor, features: Tensor) -> Tensor:
        """Posteriors (n, k) after the last averaging."""
        posteriors = pooled
        if self.rounds:
            nearest = nearest_rows(features, self.neighbours)
        for _ in range(self.rounds):
            around = average_over(posteriors, nearest)
            posteriors = torch.lerp(pooled, around, self.alpha)
        return posteriors


def nearest_rows(features: Tensor, count: int) -> Tensor:
    """(n, d) → (n, min(count, n − 1)) int64: the most similar other rows by cosine, exactly.

    A single row has no neighbours, and (1, 0) is returned.
    """
    base = unit(features)
    own = torch.arange(len(base))
    index = make_index(base, kind="exact")
    return nearest(index, base, base, count, skip=own).rows.to(features.device)


def average_over(posteriors: Tensor, nearest: Tensor) -> Tensor:
    """Mean of the neighbours' posteriors, (n, k); a row without neighbours keeps its own."""
    if nearest.shape[1] == 0:
        return posteriors
    sums = torch.zeros_like(posteriors)
    for column in nearest.T:  # one neighbour at a time needs n·k numbers, not n·m·k
        sums += posteriors[column]
    return sums / nearest.shape[1]
