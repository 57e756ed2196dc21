"""One combination of a method's settings: head, loss, and what they make of a domain's runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from w2s_cache.heads.prompt_tower import TextTower
from w2s_cache.heads.protocol import Head, Keeping, StartInputs, reads_no_rows
from w2s_cache.losses.protocol import Loss, stackable
from w2s_cache.method import attach_head, build_loss, build_self_training, build_start
from w2s_cache.supervision.self_training import SelfTraining
from w2s_cache.train.curves import Curves
from w2s_cache.train.divergence import Diverged
from w2s_cache.train.finite import broken
from w2s_cache.train.loop import Exploded, Fitted, Start, TracePoint, fit
from w2s_cache.train.predict import named, predict, temperature
from w2s_cache.train.rounds import Lesson, first_scores, fit_in_rounds
from w2s_cache.train.settings import listed_settings, resolve
from w2s_cache.train.source import Targets, changed, targets_of
from w2s_cache.train.stack import FitData, Learner, starts
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
        diverged: Other candidates, which selection left out because they had no finite numbers.
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
    diverged: tuple[Diverged, ...] = ()
    start: Start | None = None


class Trial:
    """Trains and predicts with one candidate.

    Args:
        like: Any of the runs; they share method, inputs and device.
        candidate: The settings as declared, one value of each list.
        pool: The rows the runs share.

    Raises:
        TrainError: A hyper-parameter the method does not have.
        EncoderError: The method trains through a text tower that cannot be attached.
    """

    def __init__(self, like: Task, candidate: dict[str, Any], pool: Pool) -> None:
        self.like, self.candidate, self.pool = like, candidate, pool
        self.options, self.config = resolve(like.name, like.method, candidate, select=like.select)
        self.head = attach_head(like.method, self.options, _tower(like), like.inputs.index.classes)
        self.loss = build_loss(like.method, self.options)
        self.training = build_self_training(like.method, self.options)
        self.prepared = changed(pool.features, self.head.prepare)
        self.targets: Targets | None = None

    def run(self, tasks: Sequence[Task]) -> list[Classified | Diverged]:
        """Trains in stacks where head and loss allow it; results in the order of the tasks."""
        results: dict[int, Classified | Diverged] = {}
        together = stackable(self.head, self.loss) and self.training is None
        for group in _stacks(tasks, together=together):
            ended = self._side_by_side([tasks[place] for place in group])
            results.update(zip(group, ended, strict=True))
        return [results[place] for place in range(len(tasks))]

    def _side_by_side(self, tasks: Sequence[Task]) -> list[Classified | Diverged]:
        """One stack; a run that cannot even start is no part of it."""
        learners = [self._learner(task) for task in tasks]
        begun = [
            (task, learner)
            for task, learner in zip(tasks, learners, strict=True)
            if isinstance(learner, Learner)
        ]
        fitted = iter(self._fit(begun))
        return [
            learner
            if isinstance(learner, Diverged)
            else self._classified(task, next(fitted), len(begun))
            for task, learner in zip(tasks, learners, strict=True)
        ]

    def _fit(self, begun: Sequence[tuple[Task, Learner]]) -> Sequence[Fitted | Exploded]:
        learners = [learner for _, learner in begun]
        if self.loss is None or not begun:
            return [self._as_started(learner) for learner in learners]
        curves = self._curves(begun) if self.like.curves else None
        if curves is not None:
            curves(starts(learners))
        if self.training is not None:
            [(task, learner)] = begun
            fitted = [self._fit_in_rounds(self.loss, self.training, task, learner, curves)]
        else:
            fitted = self._fit_once(self.loss, learners, curves)
        return [
            curves.drawn(run, place) if curves and isinstance(run, Fitted) else run
            for place, run in enumerate(fitted)
        ]

    def _fit_once(
        self, loss: Loss, learners: Sequence[Learner], curves: Curves | None
    ) -> list[Fitted | Exploded]:
        if self.targets is None:
            self.targets = targets_of(self.pool.supervision, loss.targets)
        data = FitData(prepared=self.prepared, targets=self.targets)
        return fit(self.head, loss, data, learners, self.config, observe=curves)

    def _fit_in_rounds(
        self,
        loss: Loss,
        training: SelfTraining,
        task: Task,
        learner: Learner,
        curves: Curves | None,
    ) -> Fitted | Exploded:
        lesson = Lesson(
            head=self.head,
            loss=loss,
            prepared=self.prepared,
            config=self.config,
            training=training,
            tau=temperature(self.head, self.options, task.inputs.logit_scale),
            observe=curves,
        )
        return fit_in_rounds(lesson, learner, first_scores(training, task, self.pool, learner.rows))

    def _learner(self, task: Task) -> Learner | Diverged:
        rows = self.pool.places(task.split.fit)
        try:
            start = self._start(task, rows)
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # torch does not list it
            return self._diverged("equations of the start that have no solution")
        return Learner(
            start=start,
            rows=rows,
            val_rows=self.pool.places(task.split.val),
            val_labels=self.pool.selection_labels(task),
            generator=stream(task.seed, "order"),
        )

    def _start(self, task: Task, rows: Tensor) -> dict[str, Tensor]:
        start = build_start(task.method, self.options)
        assert start is not None  # noqa: S101 - a head always comes with a start
        text = task.inputs.text
        if reads_no_rows(start):
            rows = rows[:0]
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
        agree = (
            named(self.head, learner.start, self.prepared, learner.val_rows) == learner.val_labels
        )
        return Fitted(
            parameters=dict(learner.start),
            epoch=None,
            val_score=agree.float().mean().item(),
            trace=(),
        )

    def _curves(self, begun: Sequence[tuple[Task, Learner]]) -> Curves:
        return Curves(
            self.head,
            self.prepared,
            self.pool.labels,
            fit_rows=[learner.rows for _, learner in begun],
            eval_rows=[self.pool.places(task.evaluate) for task, _ in begun],
        )

    def _classified(
        self, task: Task, fitted: Fitted | Exploded, together: int
    ) -> Classified | Diverged:
        if isinstance(fitted, Exploded):
            return self._diverged(f"a loss of {fitted.loss} at step {fitted.step}")
        tau = temperature(self.head, self.options, task.inputs.logit_scale)
        rows = self.pool.places(task.evaluate)
        predicted, confidence = predict(self.head, fitted.parameters, self.prepared, rows, tau=tau)
        answer = {**fitted.parameters, "confidence": torch.from_numpy(confidence)}
        names = broken(answer)
        if names:
            return self._diverged(f"NaN or infinity in {', '.join(names)}")
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

    def _diverged(self, found: str) -> Diverged:
        names = listed_settings(self.like.declared) or list(self.candidate)
        return Diverged(settings={name: self.candidate[name] for name in names}, found=found)


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
