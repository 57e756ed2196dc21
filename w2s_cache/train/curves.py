"""Accuracy by ground truth at the start and at the ends of epochs.

It is for reading only: nothing trains or selects on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from w2s_cache.heads.protocol import Head, Parameters
from w2s_cache.train.loop import Fitted, Start
from w2s_cache.train.predict import named
from w2s_cache.train.source import Rows
from w2s_cache.train.stack import shaped


class Curves:
    """Watches a stack of runs.

    Args:
        head: Maps parameters and features to logits.
        prepared: (n, d), what the head works on.
        labels: (n,) int64, ground truth.
        fit_rows: One (m,) int64 per run, the rows it learns from.
        eval_rows: One (e,) int64 per run, the rows it is evaluated on.
    """

    def __init__(
        self,
        head: Head,
        prepared: Rows,
        labels: Tensor,
        *,
        fit_rows: Sequence[Tensor],
        eval_rows: Sequence[Tensor],
    ) -> None:
        self._head, self._prepared, self._labels = head, prepared, labels
        self._parts = [shaped(torch.stack(list(rows))) for rows in (fit_rows, eval_rows)]
        self._seen: list[list[tuple[float, ...]]] = []

    @torch.no_grad()
    def __call__(self, parameters: Parameters) -> None:
        """Takes note of the accuracies of every run; called before training, then by epoch."""
        parts = [self._accuracy(parameters, rows) for rows in self._parts]
        self._seen.append(list(zip(*parts, strict=True)))

    def _accuracy(self, parameters: Parameters, rows: Tensor) -> list[float]:
        predicted = named(self._head, parameters, self._prepared, rows)
        right = (predicted == self._labels[rows]).float().mean(dim=-1)
        shares: list[float] = right.reshape(-1).tolist()
        return shares

    def drawn(self, fitted: Fitted, run: int) -> Fitted:
        """The run's result with its accuracies before training and at the end of every epoch."""
        start, ends = self._seen[0][run], self._seen[1:]
        trace = [
            point
            if point.val_score is None
            else replace(
                point,
                fit_accuracy=ends[point.epoch][run][0],
                eval_accuracy=ends[point.epoch][run][1],
            )
            for point in fitted.trace
        ]
        return replace(fitted, trace=tuple(trace), start=Start(fit=start[0], evaluated=start[1]))
