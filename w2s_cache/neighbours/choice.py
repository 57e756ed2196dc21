"""Which index a search uses: exact where that is quick, cells above a stated size."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from w2s_cache.errors import NeighbourError
from w2s_cache.neighbours.candidates import Candidates
from w2s_cache.neighbours.faiss_index import cell_index, flat_index
from w2s_cache.neighbours.faiss_library import faiss_library
from w2s_cache.neighbours.search import nearest
from w2s_cache.neighbours.torch_index import TorchIndex

Kind = Literal["auto", "exact", "ivf"]

CELLS_FROM = 250_000
"""Rows from which ``auto`` no longer looks at all of them: above every domain of DomainNet."""

_SAMPLE = 256  # queries that recall is measured on


def make_index(base: Tensor, *, kind: Kind = "auto", device: str = "cpu") -> Candidates:
    """An index of (n, d) float32 unit rows.

    Args:
        base: The rows.
        kind: ``"exact"``; ``"ivf"``, approximate; ``"auto"``, IVF from `CELLS_FROM` rows on.
        device: A torch device string; CUDA is used where the GPU build of faiss is installed.

    Returns:
        faiss's index, or torch's exact one where faiss cannot be imported.

    Raises:
        NeighbourError: IVF without faiss.
    """
    faiss = faiss_library()
    if faiss is None and kind == "ivf":
        raise NeighbourError(
            "an IVF index needs faiss",
            expected="a faiss that can be imported",
            found="none",
            fix="Install faiss-cpu, or search exactly.",
        )
    if faiss is None:
        return TorchIndex(base)
    if kind == "ivf" or (kind == "auto" and len(base) >= CELLS_FROM):
        return cell_index(faiss, base, device=device)
    return flat_index(faiss, base, device=device)


def recall(index: Candidates, base: Tensor, count: int) -> float:
    """Share of the true ``count`` nearest other rows that an index finds, in [0, 1].

    Measured on up to 256 rows of the base, evenly spaced; 1 by definition where the index is exact.
    """
    if index.exact or len(base) < 2 or count < 1:
        return 1.0
    sample = torch.linspace(0, len(base) - 1, min(_SAMPLE, len(base))).long()
    true = nearest(TorchIndex(base), base, base[sample], count, skip=sample).rows
    found = nearest(index, base, base[sample], count, skip=sample).rows
    return float((true.unsqueeze(-1) == found.unsqueeze(1)).any(-1).double().mean())
