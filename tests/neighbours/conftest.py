"""A reference that compares everything with everything, and faiss out of sight."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from w2s_cache.neighbours.search import unit


def all_cosines(queries: Tensor, base: Tensor) -> Tensor:
    """(q, n) float64 cosines of unit rows, pair by pair."""
    return (queries.double().unsqueeze(1) * base.double().unsqueeze(0)).sum(-1)


def sorted_rows(cosines: Tensor, count: int) -> Tensor:
    """The first rows by cosine descending, among equals by row."""
    return cosines.sort(dim=-1, descending=True, stable=True).indices[:, :count]


@pytest.fixture(scope="session")
def reference() -> Callable[..., Tensor]:
    """``reference(base, queries, count, skip=None)``: rows (q, count) by a full stable sort."""

    def find(base: Tensor, queries: Tensor, count: int, skip: Tensor | None = None) -> Tensor:
        cosines = all_cosines(queries, base)
        if skip is not None:
            cosines[torch.arange(len(queries)), skip] = -torch.inf
        return sorted_rows(cosines, count)

    return find


@pytest.fixture(scope="session")
def copied() -> Tensor:
    """300 unit rows of 24 numbers: 41 equal, ten pairs, two nearly equal, one of zeros."""
    rows = torch.randn(300, 24, generator=torch.Generator().manual_seed(0))
    rows[100:140] = rows[4]
    rows[200:210] = rows[20:30]
    rows[250] = rows[50] + 1e-7
    rows[299] = 0
    return unit(rows)


@pytest.fixture(params=["faiss", "torch"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each library in turn; for torch, faiss cannot be imported."""
    if request.param == "torch":
        monkeypatch.setitem(sys.modules, "faiss", None)
    return str(request.param)
