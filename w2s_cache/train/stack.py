"""Runs that share features, side by side.

Their parameters are stacked along a leading dimension, every step gathers one batch for each run,
and head, loss and optimizer work on all of them at once. A run trained alone is a stack of one,
without that dimension.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from w2s_cache.heads.protocol import Head, Parameters
from w2s_cache.train.source import Rows, StreamedTargets, Targets, blocks


@dataclass(frozen=True, kw_only=True, slots=True)
class FitData:
    """What all runs of a domain share, on one device.

    Attributes:
        prepared: (n, d) float32, what the head works on; in memory, or read when asked for.
        targets: Tensors with n rows, from the loss; read only at the rows of each run.
    """

    prepared: Rows
    targets: Targets


@dataclass(frozen=True, kw_only=True, slots=True)
class Learner:
    """What is a run's own.

    Attributes:
        start: Initial parameters by name; not modified.
        rows: (m,) int64, the rows of the shared tensors that it learns from.
        val_rows: (v,) int64, the rows that selection looks at.
        val_labels: (v,) int64, what selection compares predictions with.
        generator: CPU generator of the row order.
    """

    start: Mapping[str, Tensor]
    rows: Tensor
    val_rows: Tensor
    val_labels: Tensor
    generator: torch.Generator


class Stack:
    """The runs' rows side by side; one run has no leading dimension."""

    def __init__(self, data: FitData, learners: Sequence[Learner]) -> None:
        self.data, self.learners = data, learners
        self.rows = torch.stack([learner.rows for learner in learners])
        self.val_labels = shaped(torch.stack([learner.val_labels for learner in learners]))
        self.val_rows = torch.stack([learner.val_rows for learner in learners])
        self._rooms: dict[str, Tensor] = {}
        self._val: list[Tensor] = list(self._val_blocks()) if self._in_memory else []

    def parameters(self) -> dict[str, Tensor]:
        """Initial parameters by name, (runs, …) or (…), ready to be differentiated."""
        return {
            name: value.clone().requires_grad_() for name, value in starts(self.learners).items()
        }

    def order(self) -> Tensor:
        """(runs, rows): every run's rows in a new order of its own."""
        drawn = [
            torch.randperm(self.rows.shape[1], generator=learner.generator)
            for learner in self.learners
        ]
        return torch.gather(self.rows, 1, torch.stack(drawn).to(self.rows.device))

    def batches(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """Prepared features and targets of each batch; valid until the next one is asked for."""
        for rows in torch.split(order, size, dim=1):
            yield self._take(self.data.prepared, rows, room="prepared"), self._targets(rows)

    def all(self, order: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Prepared features and targets of every row, in memory of their own."""
        return self._take(self.data.prepared, order), self._targets(order, rooms=False)

    @torch.no_grad()
    def score(self, head: Head, parameters: Parameters) -> list[float]:
        """Share of val rows on which each run predicts the val label."""
        parts = self._val if self._in_memory else self._val_blocks()
        predicted = torch.cat(
            [head.logits(parameters, part).argmax(dim=-1) for part in parts], dim=-1
        )
        scores: list[float] = (
            (predicted == self.val_labels).float().mean(dim=-1).reshape(-1).tolist()
        )
        return scores

    @property
    def _in_memory(self) -> bool:
        return isinstance(self.data.prepared, Tensor)

    def _val_blocks(self) -> Iterator[Tensor]:
        return (shaped(part) for part in blocks(self.data.prepared, self.val_rows))

    def _targets(self, rows: Tensor, *, rooms: bool = True) -> dict[str, Tensor]:
        """Targets of (runs, size) rows, each (runs, size, …)."""
        targets = self.data.targets
        if isinstance(targets, StreamedTargets):
            made = targets[rows.reshape(-1)]
            return {
                name: shaped(value.view(*rows.shape, *value.shape[1:]))
                for name, value in made.items()
            }
        return {
            name: self._take(value, rows, room=f"target {name}" if rooms else None)
            for name, value in targets.items()
        }

    def _take(self, source: Rows, rows: Tensor, *, room: str | None = None) -> Tensor:
        """(runs, size) rows of (n, …) → (runs, size, …), copied into a room where one is named."""
        flat = rows.reshape(-1)
        if room is None or not isinstance(source, Tensor):
            taken = source[flat]
        else:
            if room not in self._rooms:  # the first batch is the largest
                self._rooms[room] = source.new_empty(len(flat), *source.shape[1:])
            taken = torch.index_select(source, 0, flat, out=self._rooms[room][: len(flat)])
        return shaped(taken.view(*rows.shape, *taken.shape[1:]))


def starts(learners: Sequence[Learner]) -> dict[str, Tensor]:
    """Initial parameters of all runs by name, (runs, …), or (…) for one."""
    return {
        name: shaped(torch.stack([learner.start[name] for learner in learners]))
        for name in learners[0].start
    }


def shaped(stacked: Tensor) -> Tensor:
    """(runs, …) as it is for several runs, (…) for one."""
    return stacked[0] if len(stacked) == 1 else stacked
