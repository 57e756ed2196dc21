"""One method on one domain: from cached tensors to predictions, several seeds together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from w2s_cache.heads.prompt_tower import TextTower
from w2s_cache.heads.protocol import Head, Keeping, StartInputs
from w2s_cache.losses.protocol import stackable
from w2s_cache.method import attach_head, build_loss, build_start
from w2s_cache.train.curves import Curves
from w2s_cache.train.finite import refuse_broken_answer, refuse_broken_inputs
from w2s_cache.train.loop import Fitted, Start, TracePoint, fit
from w2s_cache.train.predict import predict, probable, temperature
from w2s_cache.train.settings import declared_candidates, resolve
from w2s_cache.train.stack import FitData, Learner, Stack
from w2s_cache.train.streams import stream
from w2s_cache.train.task import Pool, Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """What a method makes of a domain.

    Attributes:
        predicted: (m,) int64, class of every evaluation row.
        confidence: (m,) float32, the probability given to it.
        head: Trained tensors by name; empty for the weak model.
        trace: Every training step; empty when nothing is trained.
        epoch: Selected epoch (0-based); None when nothing is trained.
        val_score: Agreement with the supervision on val, in [0, 1].
        candidate: The settings as declared, one value of each list.
        together: How many runs were trained as one stack.
        start: Accuracies before training; None unless curves were asked for.
    """

    predicted: np.ndarray
    confidence: np.ndarray
    head: dict[str, Tensor]
    trace: tuple[TracePoint, ...]
    epoch: int | None
    val_score: float
    candidate: dict[str, Any]
    together: int
    start: Start | None = None


def classify(tasks: Sequence[Task]) -> list[Classified]:
    """Runs a method: trains every candidate, keeps the best by val, predicts.

    Ground truth is read only by methods supervised by it, by ``select = "oracle"`` and for curves;
    the labels of the evaluation rows are never trained or selected on.

    Args:
        tasks: Runs of one method on one domain that differ in seed and rows alone.

    Returns:
        One result per task; each is what the task alone gives, up to float rounding.

    Raises:
        TrainError: A hyper-parameter the method does not have, training that diverged, or
            features, weak logits or answers that are not finite.
        EncoderError: The method trains through a text tower that cannot be attached.
    """
    refuse_broken_inputs(tasks[0].inputs)
    if tasks[0].method.head is None:
        return [_weak_itself(task) for task in tasks]
    pool = Pool(tasks[0])
    best: list[Classified] = []
    for candidate in declared_candidates(tasks[0].declared):
        tried = _Candidate(tasks[0], candidate, pool).run(tasks)
        best = [
            new if not best or new.val_score > best[run].val_score else best[run]
            for run, new in enumerate(tried)
        ]
    return best


def _weak_itself(task: Task) -> Classified:
    predicted, confidence = probable(task.inputs.weak_logits[task.evaluate])
    return Classified(
        predicted=predicted,
        confidence=confidence,
        head={},
        trace=(),
        epoch=None,
        val_score=1.0,
        candidate={},
        together=1,
    )


class _Candidate:
    """One combination of settings: head, loss and what they make of the pool."""

    def __init__(self, like: Task, candidate: dict[str, Any], pool: Pool) -> None:
        self.like, self.candidate, self.pool = like, candidate, pool
        self.options, self.config = resolve(like.name, like.method, candidate, select=like.select)
        self.head = attach_head(like.method, self.options, _tower(like), like.inputs.index.classes)
        self.loss = build_loss(like.method, self.options)
        self.prepared = self.head.prepare(pool.features)
        self.targets: dict[str, Tensor] = {}

    def run(self, tasks: Sequence[Task]) -> list[Classified]:
        """Trains in stacks where head and loss allow it; results in the order of the tasks."""
        results: dict[int, Classified] = {}
        for group in _stacks(tasks, together=stackable(self.head, self.loss)):
            members = [tasks[place] for place in group]
            for place, fitted in zip(group, self._fit(members), strict=True):
                results[place] = self._classified(tasks[place], fitted, len(group))
        return [results[place] for place in range(len(tasks))]

    def _fit(self, tasks: Sequence[Task]) -> list[Fitted]:
        learners = [self._learner(task) for task in tasks]
        if self.loss is None:
            return [self._as_started(learner) for learner in learners]
        if not self.targets:
            self.targets = self.loss.targets(self.pool.supervision)
        data = FitData(prepared=self.prepared, targets=self.targets)
        curves = self._curves(tasks, learners) if self.like.curves else None
        if curves is not None:
            curves(Stack(data, learners).parameters())
        fitted = fit(self.head, self.loss, data, learners, self.config, observe=curves)
        if curves is None:
            return fitted
        return [curves.drawn(run, place) for place, run in enumerate(fitted)]

    def _learner(self, task: Task) -> Learner:
        rows = self.pool.places(task.split.fit)
        return Learner(
            start=self._start(task, rows),
            rows=rows,
            val_rows=self.pool.places(task.split.val),
            val_labels=self.pool.selection_labels(task),
            generator=stream(task.seed, "order"),
        )

    def _start(self, task: Task, rows: Tensor) -> dict[str, Tensor]:
        start = build_start(task.method, self.options)
        assert start is not None  # noqa: S101 - a head always comes with a start
        text = task.inputs.text
        inputs = StartInputs(
            head=self.head,
            features=self.prepared[rows],
            weak_logits=self.pool.supervision[rows],
            text=None if text is None else text.to(task.device),
            logit_scale=task.inputs.logit_scale,
            generator=stream(task.seed, "start"),
        )
        return {name: value.to(task.device) for name, value in start(inputs).items()}

    @torch.no_grad()
    def _as_started(self, learner: Learner) -> Fitted:
        """The start is the answer: nothing is trained, val only scores it."""
        logits = self.head.logits(learner.start, self.prepared[learner.val_rows])
        agree = logits.argmax(dim=-1) == learner.val_labels
        return Fitted(
            parameters=dict(learner.start),
            epoch=None,
            val_score=agree.float().mean().item(),
            trace=(),
        )

    def _curves(self, tasks: Sequence[Task], learners: Sequence[Learner]) -> Curves:
        return Curves(
            self.head,
            self.prepared,
            self.pool.labels,
            fit_rows=[learner.rows for learner in learners],
            eval_rows=[self.pool.places(task.evaluate) for task in tasks],
        )

    def _classified(self, task: Task, fitted: Fitted, together: int) -> Classified:
        tau = temperature(self.head, self.options, task.inputs.logit_scale)
        prepared = self.prepared[self.pool.places(task.evaluate)]
        predicted, confidence = predict(self.head, fitted.parameters, prepared, tau=tau)
        answer = {**fitted.parameters, "confidence": torch.from_numpy(confidence)}
        refuse_broken_answer(answer, f"{task.name} on {task.inputs.index.domain}", self.candidate)
        return Classified(
            predicted=predicted,
            confidence=confidence,
            head=_kept(self.head, fitted.parameters),
            trace=fitted.trace,
            start=fitted.start,
            epoch=fitted.epoch,
            val_score=fitted.val_score,
            candidate=self.candidate,
            together=together,
        )


def _kept(head: Head, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the run keeps: its parameters, or what a head with very many makes of them."""
    return head.kept(parameters) if isinstance(head, Keeping) else parameters


def _tower(task: Task) -> Callable[[], TextTower] | None:
    tower = task.tower
    return None if tower is None else lambda: tower(task.inputs.text_identity)


def _stacks(tasks: Sequence[Task], *, together: bool) -> list[list[int]]:
    """Places of the tasks that train as one: those with as many rows of every kind."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, task in enumerate(tasks):
        sizes = (len(task.split.fit), len(task.split.val), len(task.evaluate))
        groups.setdefault(sizes if together else (place,), []).append(place)
    return list(groups.values())
