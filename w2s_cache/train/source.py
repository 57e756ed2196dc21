"""Numbers by row: a tensor in memory, or rows that are read from the store when asked for.

Training asks for features and supervision by row number and never for all of them at once, so that
either will do. Both give the same bits: what heads and losses make of rows is made of each row by
itself, and whatever else is summed over rows is summed in the same blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from w2s_cache.store.layout import VALID_DATASET
from w2s_cache.store.reader import Store
from w2s_cache.store.row_reader import RowReader

BLOCK = 16_384  # rows that are looked at together where all are looked at


class Rows(Protocol):
    """What training reads: (n, …) float32; every torch tensor is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, …)."""
        ...

    def __getitem__(self, rows: Tensor | np.ndarray, /) -> Tensor:
        """Row numbers (m,) int64 → (m, …), in memory of their own."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Streamed:
    """Rows that are read, or made, when they are asked for.

    Attributes:
        read: Row numbers (m,) int64 → (m, …) float32, both on the CPU.
        size: (N, …), what there is to read.
        within: (n,) int64, the row of those N that each row is; None for all of them.
        change: What is made of rows when they are read, row by row.
        device: Where they are brought to.
    """

    read: Callable[[Tensor], Tensor]
    size: tuple[int, ...]
    within: Tensor | None = None
    change: Callable[[Tensor], Tensor] = lambda rows: rows
    device: str = "cpu"

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, …), the width as it is read."""
        rows, *rest = self.size
        return (rows if self.within is None else len(self.within), *rest)

    def __getitem__(self, rows: Tensor | np.ndarray, /) -> Tensor:
        """Row numbers (m,) int64 → (m, …) float32."""
        here = torch.as_tensor(rows).cpu()
        wanted = here if self.within is None else self.within[here]
        return self.change(self.read(wanted).to(self.device))


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedTargets:
    """What a loss makes of supervision, made when rows are asked for."""

    supervision: Rows
    targets: Callable[[Tensor], dict[str, Tensor]]

    def __getitem__(self, rows: Tensor, /) -> dict[str, Tensor]:
        """Row numbers (m,) int64 → tensors with m rows."""
        return self.targets(self.supervision[rows])


Targets = Mapping[str, Tensor] | StreamedTargets


def in_memory(store: Store, name: str) -> tuple[Tensor, np.ndarray]:
    """An array of a store, read and verified now, and (N,) bool which of its rows hold data."""
    found = store.read_together((name, VALID_DATASET))
    return torch.from_numpy(found[name]), found[VALID_DATASET]


def stored_rows(store: Store, name: str) -> tuple[Streamed, np.ndarray]:
    """An array of a store, verified now, its rows read when they are asked for; and its mask."""
    reader = RowReader(store, name)
    streamed = Streamed(
        read=lambda rows: torch.from_numpy(reader.read(rows.numpy())), size=reader.shape
    )
    return streamed, reader.valid


def chosen(source: Rows, rows: np.ndarray, device: str) -> Rows:
    """Some rows of a source, on a device."""
    places = torch.from_numpy(rows)
    if isinstance(source, Streamed):
        return replace(source, within=places, device=device)
    return source[places].to(device)


def picked(source: Rows, places: Tensor) -> Rows:
    """Some rows of a source, in this order; one that comes twice is there twice."""
    if isinstance(source, Streamed):
        here = places.cpu()
        return replace(source, within=here if source.within is None else source.within[here])
    return source[places]


def changed(source: Rows, change: Callable[[Tensor], Tensor]) -> Rows:
    """What a function makes of rows, row by row: at once in memory, else when they are read."""
    if isinstance(source, Streamed):
        return replace(source, change=change)
    assert isinstance(source, Tensor)  # noqa: S101 - there is no third kind
    return change(source)


def targets_of(supervision: Rows, targets: Callable[[Tensor], dict[str, Tensor]]) -> Targets:
    """What a loss makes of supervision: at once in memory, else when rows are asked for."""
    if isinstance(supervision, Tensor):
        return targets(supervision)
    return StreamedTargets(supervision=supervision, targets=targets)


def blocks(source: Rows, rows: Tensor) -> Iterator[Tensor]:
    """The rows (…, m) of a source, (…, at most BLOCK, width) at a time."""
    for block in torch.split(rows, BLOCK, dim=-1):
        taken = source[block.reshape(-1)]
        yield taken.view(*block.shape, *taken.shape[1:])
