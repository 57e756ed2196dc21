"""One run as a value: which rows, which method, which seed, on which device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from w2s_cache.heads.prompt_tower import TextTower
from w2s_cache.method import Method
from w2s_cache.supervision.ground_truth import label_logits
from w2s_cache.supervision.protocol import Split
from w2s_cache.train.inputs import DomainInputs
from w2s_cache.train.settings import Declared
from w2s_cache.train.source import Rows, Streamed, blocks, chosen

Tower = Callable[[Mapping[str, Any]], TextTower]
"""Given what the text store says of its encoder, attaches that encoder's text tower."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One run.

    Attributes:
        inputs: The domain.
        split: Rows of the index, see :class:`~w2s_cache.supervision.protocol.Split`.
        evaluate: (m,) int64, rows of the index to predict.
        name: The method's name.
        method: The method.
        declared: Its settings, see :func:`w2s_cache.train.settings.declare`.
        seed: The run's seed.
        device: A torch device string.
        tower: Attaches the text tower, for methods that train through it.
        curves: Whether accuracies by ground truth are put into the trace, for reading only.
    """

    inputs: DomainInputs
    split: Split
    evaluate: np.ndarray
    name: str
    method: Method
    declared: Declared
    seed: int
    device: str
    tower: Tower | None = None
    curves: bool = False

    @property
    def who(self) -> str:
        """The run in a sentence."""
        return f"{self.name} on {self.inputs.index.domain} with seed {self.seed}"

    @property
    def select(self) -> str:
        """How an epoch and a candidate are chosen."""
        return str(self.declared["protocol"]["select"])


class Pool:
    """The rows of D_test that runs of one method share, on the training device."""

    def __init__(self, task: Task) -> None:
        self._rows = task.split.full_test
        self.device = task.device
        labels = torch.from_numpy(task.inputs.index.labels[self._rows])
        self.features = chosen(task.inputs.features, self._rows, task.device)
        self.labels = labels.to(task.device)
        weak = task.inputs.weak_logits
        self.supervision: Rows = chosen(weak, self._rows, task.device)
        if task.method.supervision == "ground-truth":
            classes, streamed = weak.shape[1], isinstance(weak, Streamed)
            self.supervision = _ground_truth(self.labels, classes, streamed=streamed)

    def places(self, rows: np.ndarray) -> Tensor:
        """Rows of the index, all of D_test → their places in the pool, (n,) int64."""
        return torch.from_numpy(np.searchsorted(self._rows, rows)).to(self.device)

    def selection_labels(self, task: Task) -> Tensor:
        """(v,) int64: what selection compares predictions on val with."""
        val = self.places(task.split.val)
        if task.select == "oracle":
            return self.labels[val]
        return torch.cat([part.argmax(dim=-1) for part in blocks(self.supervision, val)])


def _ground_truth(labels: Tensor, classes: int, *, streamed: bool) -> Rows:
    """Labels as logits (n, k), all at once or when rows are asked for."""
    if not streamed:
        return label_logits(labels, classes)
    known = labels.cpu()
    return Streamed(
        read=lambda rows: label_logits(known[rows], classes),
        size=(len(labels), classes),
        device=str(labels.device),
    )
