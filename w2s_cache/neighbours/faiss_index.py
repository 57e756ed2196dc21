"""Candidates from faiss: all rows (flat), or the rows of the nearest cells (IVF)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_SEED = 0
NPROBE = 32
"""Cells that a query visits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaissIndex:
    """A faiss index of inner products.

    Args:
        index: The index, filled.
        name: What it is, for people.
        exact: Whether it looks at every row.
        kept: What must live as long as the index does.
    """

    index: Any
    name: str
    exact: bool
    kept: Any = None

    def top(self, queries: Tensor, count: int) -> Tensor:
        """The ``count`` rows of highest inner product, (q, count) int64; −1 where none are."""
        _, rows = self.index.search(queries.contiguous().numpy(), count)
        return torch.from_numpy(rows)

    def above(self, queries: Tensor, least: float) -> tuple[Tensor, Tensor]:
        """All pairs of a query and a row it looks at whose inner product is above ``least``."""
        limits, _, rows = self.index.range_search(queries.contiguous().numpy(), least)
        counts = torch.from_numpy(limits.astype("int64")).diff()
        numbers = torch.arange(len(queries)).repeat_interleave(counts)
        return numbers, torch.from_numpy(rows)


def flat_index(faiss: Any, base: Tensor, *, device: str) -> FaissIndex:
    """An exact index of (n, d) float32 unit rows, on a GPU where faiss and the device have it."""
    index, kept = _on(faiss, faiss.IndexFlatIP(base.shape[1]), device)
    index.add(base.contiguous().numpy())
    place = "" if kept is None else f" on {device}"
    return FaissIndex(index=index, name=f"faiss, exact{place}", exact=True, kept=kept)


def cell_index(faiss: Any, base: Tensor, *, device: str) -> FaissIndex:
    """An inverted file: ⌊4√n⌋ cells by k-means with a fixed seed, `NPROBE` of them visited."""
    cells = max(1, min(int(4 * math.sqrt(len(base))), len(base) // 39))  # k-means wants 39 a cell
    made = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(base.shape[1]), base.shape[1], cells, faiss.METRIC_INNER_PRODUCT
    )
    made.cp.seed = _SEED
    made.nprobe = visited = min(NPROBE, cells)
    index, kept = _on(faiss, made, device)
    rows = base.contiguous().numpy()
    index.train(rows)
    index.add(rows)
    name = f"faiss, IVF of {cells} cells, {visited} visited"
    return FaissIndex(index=index, name=name, exact=visited == cells, kept=kept)


def _on(faiss: Any, index: Any, device: str) -> tuple[Any, Any]:
    """The index on a CUDA device with the resources it needs; as it is where there is no such."""
    kind, _, number = device.partition(":")
    if kind != "cuda" or not hasattr(faiss, "StandardGpuResources") or not faiss.get_num_gpus():
        return index, None
    resources = faiss.StandardGpuResources()
    return faiss.index_cpu_to_gpu(resources, int(number or 0), index), resources
