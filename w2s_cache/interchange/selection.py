"""Which rows of a domain are exported, and in which stretches they are read."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from w2s_cache.store.index import Index

Split = Literal["train", "test", "all"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Selection:
    """Rows of an index.

    Attributes:
        rows: (m,) int64 row numbers, ascending.
        left_out: Paths of the rows of the split that hold no features or logits.
        bounds: Stretches [start, stop) of ``rows``, none of which crosses a shard.
    """

    rows: npt.NDArray[np.int64]
    left_out: tuple[str, ...]
    bounds: tuple[tuple[int, int], ...]


def select_rows(
    index: Index, split: Split, *, valid: npt.NDArray[np.bool_], shard_rows: int
) -> Selection:
    """Rows of a split that hold data; those that do not are named, never exported as NaN.

    Args:
        index: The domain.
        split: A half of the official split, or both.
        valid: (n,) whether a row's features and logits exist.
        shard_rows: Rows per shard of the store that is read.
    """
    wanted = np.ones(len(index), dtype=bool) if split == "all" else index.is_train
    wanted = ~wanted if split == "test" else wanted
    rows = np.flatnonzero(wanted & valid).astype(np.int64)
    lost = np.flatnonzero(wanted & ~valid)
    cuts = np.flatnonzero(np.diff(rows // shard_rows)) + 1
    edges = [0, *cuts.tolist(), len(rows)]
    bounds = tuple((a, b) for a, b in itertools.pairwise(edges) if a < b)
    return Selection(rows=rows, left_out=tuple(index.paths[row] for row in lost), bounds=bounds)
