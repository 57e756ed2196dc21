"""Exact candidates by matrix products of torch alone, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK = 16_384  # rows of the base in one product: a few MB of cosines for a block of queries


@dataclass(frozen=True, slots=True, eq=False)
class TorchIndex:
    """Every row of the base against every query.

    Args:
        base: (n, d) float32 unit rows.
    """

    base: Tensor

    @property
    def name(self) -> str:
        """Library and kind."""
        return "torch, exact"

    @property
    def exact(self) -> bool:
        """It looks at every row."""
        return True

    def top(self, queries: Tensor, count: int) -> Tensor:
        """The ``count`` rows of highest cosine, (q, count) int64; as many as there are."""
        best = queries.new_empty((len(queries), 0))
        rows = torch.empty((len(queries), 0), dtype=torch.int64)
        for start, block in self._blocks():
            cosines, places = (queries @ block.T).topk(min(count, len(block)), dim=-1)
            best, rows = torch.cat([best, cosines], -1), torch.cat([rows, places + start], -1)
            best, kept = best.topk(min(count, best.shape[1]), dim=-1)
            rows = rows.gather(-1, kept)
        return rows

    def above(self, queries: Tensor, least: float) -> tuple[Tensor, Tensor]:
        """All pairs of a query and a row whose cosine is above ``least``."""
        found = []
        for start, block in self._blocks():
            numbers, places = (queries @ block.T > least).nonzero(as_tuple=True)
            found.append((numbers, places + start))
        return torch.cat([one for one, _ in found]), torch.cat([other for _, other in found])

    def _blocks(self) -> list[tuple[int, Tensor]]:
        starts = range(0, len(self.base), _BLOCK)
        return [(start, self.base[start : start + _BLOCK]) for start in starts]
