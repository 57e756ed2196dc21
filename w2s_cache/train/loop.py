"""The one training loop: any head, any loss, whole splits as tensors in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from w2s_cache.heads.protocol import Head, Parameters
from w2s_cache.losses.protocol import Loss, Survey
from w2s_cache.schedule import learning_rate_factor
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.gradient import loss_and_gradients
from w2s_cache.train.optimizer import Optimizer
from w2s_cache.train.stack import FitData, Learner, Stack

Observe = Callable[[Parameters], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class TracePoint:
    """One step: loss in nats, learning rate; what was measured where an epoch ends, else None.

    ``fit_accuracy`` and ``eval_accuracy`` are by ground truth, None unless curves were asked for.
    """

    step: int
    epoch: int
    loss: float
    lr: float
    val_score: float | None
    fit_accuracy: float | None = None
    eval_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Accuracies of the untrained parameters by ground truth, on fit rows and evaluated rows."""

    fit: float
    evaluated: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """The selected parameters, their epoch (0-based) and val score, and every step.

    Where the start is the answer there is neither epoch nor step. ``start`` is None unless curves
    were asked for.
    """

    parameters: dict[str, Tensor]
    epoch: int | None
    val_score: float
    trace: tuple[TracePoint, ...]
    start: Start | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Exploded:
    """A run whose loss stopped being a finite number: at which step, 0-based, and what it was."""

    step: int
    loss: float


def fit(
    head: Head,
    loss: Loss,
    data: FitData,
    learners: Sequence[Learner],
    config: TrainConfig,
    *,
    observe: Observe | None = None,
) -> list[Fitted | Exploded]:
    """Trains every run's parameters and keeps the epoch that selection names.

    Args:
        head: Maps parameters and prepared features to logits.
        loss: Compares logits with targets.
        data: What the runs share.
        learners: The runs, all with as many rows and val rows; more than one only where head and
            loss are ``stackable``.
        config: The recipe.
        observe: Called with the parameters, (runs, …) for several, where an epoch ends.

    Returns:
        One result per run, as if each had been trained alone up to float rounding; a run that
        explodes takes no other with it.
    """
    stack = Stack(data, learners)
    parameters = stack.parameters()
    evaluate = loss_and_gradients(head, loss)
    optimizer = Optimizer(
        name=config.optimizer,
        parameters=list(parameters.values()),
        weight_decay=config.weight_decay,
    )
    total = config.epochs * math.ceil(stack.rows.shape[1] / config.batch_size)
    # one tensor for all: small ones that outlive their step would lie in the holes that the large
    # ones of the next step fit into, and the heap would grow at every other step
    losses = stack.rows.new_empty((len(learners), total), dtype=torch.float32)
    rates: list[float] = []
    best = _Best(len(learners), config.select)
    for _ in range(config.epochs):
        order = stack.order()
        survey = _survey(head, loss, parameters, stack, order)
        for batch, targets in stack.batches(order, config.batch_size):
            step = len(rates)
            rates.append(_rate(step, total, config))
            value, gradients = evaluate(
                parameters, batch, {**targets, **survey}, progress=step / total
            )
            optimizer.step(rates[-1], gradients)
            losses[:, step] = value
        best.offer(stack.score(head, parameters), parameters, lead=len(learners) > 1)
        if observe is not None:
            observe({name: value.detach() for name, value in parameters.items()})
    return best.results(losses.tolist(), rates)


class _Best:
    """The best epoch of every run so far."""

    def __init__(self, runs: int, select: str) -> None:
        self.last = select == "last"
        self.scores: list[list[float]] = [[] for _ in range(runs)]
        self.epochs = [0] * runs
        self.kept: list[dict[str, Tensor]] = [{} for _ in range(runs)]

    def offer(self, scores: Sequence[float], parameters: Parameters, *, lead: bool) -> None:
        """Keeps a copy for every run that this epoch is the first best of."""
        for run, score in enumerate(scores):
            if self.last or score > max(self.scores[run], default=-1.0):
                self.epochs[run] = len(self.scores[run])
                self.kept[run] = {
                    name: (value[run] if lead else value).detach().clone()
                    for name, value in parameters.items()
                }
            self.scores[run].append(score)

    def results(self, losses: Sequence[list[float]], rates: list[float]) -> list[Fitted | Exploded]:
        """The kept epochs of the runs whose every step has a finite loss."""
        return [
            _explosion(losses[run])
            or Fitted(
                parameters=self.kept[run],
                epoch=self.epochs[run],
                val_score=scores[self.epochs[run]],
                trace=_trace(losses[run], rates, scores),
            )
            for run, scores in enumerate(self.scores)
        ]


def _survey(
    head: Head, loss: Loss, parameters: Parameters, stack: Stack, order: Tensor
) -> dict[str, Tensor]:
    """What a loss learns from the logits of all rows at the start of an epoch."""
    if not (isinstance(loss, Survey) and loss.surveys):
        return {}
    with torch.no_grad():
        prepared, targets = stack.all(order)
        return loss.survey(head.logits(parameters, prepared), targets)


def _rate(step: int, total: int, config: TrainConfig) -> float:
    return config.lr * learning_rate_factor(
        step, total=total, warmup_ratio=config.warmup_ratio, schedule=config.schedule
    )


def _trace(losses: list[float], rates: list[float], scores: list[float]) -> tuple[TracePoint, ...]:
    steps = len(losses) // len(scores)
    return tuple(
        TracePoint(
            step=step,
            epoch=step // steps,
            loss=value,
            lr=rate,
            val_score=scores[step // steps] if (step + 1) % steps == 0 else None,
        )
        for step, (value, rate) in enumerate(zip(losses, rates, strict=True))
    )


def _explosion(losses: Sequence[float]) -> Exploded | None:
    """Where the loss first is no finite number."""
    for step, loss in enumerate(losses):
        if not math.isfinite(loss):
            return Exploded(step=step, loss=loss)
    return None
