"""Self-training: rounds of pseudo-labels, each chosen by the head that the last round trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from w2s_cache.heads.protocol import Head
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.losses.protocol import Loss
from w2s_cache.supervision.ground_truth import label_logits
from w2s_cache.supervision.pseudo_labels import PseudoLabels, pseudo_labels
from w2s_cache.supervision.self_training import SelfTraining
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import Exploded, Fitted, Observe, TracePoint, fit
from w2s_cache.train.predict import temperature
from w2s_cache.train.source import Rows, blocks, picked
from w2s_cache.train.stack import FitData, Learner
from w2s_cache.train.task import Pool, Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """What stays the same from round to round.

    Attributes:
        head: Maps parameters and prepared features to logits.
        loss: Compares logits with targets, which are made of one-hot pseudo-labels.
        prepared: (n, d), what the head works on.
        config: The recipe of every round; schedule and optimizer begin anew with it.
        training: How many rounds, and how many labels of which kind in each.
        tau: What turns the head's logits into probabilities.
        observe: Called with the parameters where an epoch ends, see :func:`~.loop.fit`.
    """

    head: Head
    loss: Loss
    prepared: Rows
    config: TrainConfig
    training: SelfTraining
    tau: float
    observe: Observe | None = None


def fit_in_rounds(lesson: Lesson, learner: Learner, first: Tensor) -> Fitted | Exploded:
    """Trains one run in rounds: choose pseudo-labels among its rows, fit, choose again.

    Args:
        lesson: Head, loss, data and rounds.
        learner: The run; its rows are those that pseudo-labels are chosen among.
        first: (rows, classes), log-probabilities that choose the labels of the first round.

    Returns:
        The last round's parameters, with the steps of all rounds; epochs count through. Where a
        round's loss is no finite number, that step.
    """
    training, scores = lesson.training, first
    ended: list[Fitted] = []
    for count in training.counts(*first.shape):
        if ended:
            scores = log_probabilities(
                lambda part: lesson.head.logits(ended[-1].parameters, part) / lesson.tau,
                lesson.prepared,
                learner.rows,
            )
            if training.restart == "continued":
                learner = replace(learner, start=ended[-1].parameters)
        taught = pseudo_labels(scores, count, choice=training.choice)
        result = _fit(lesson, learner, taught, classes=first.shape[1])
        if isinstance(result, Exploded):
            return replace(result, step=result.step + sum(len(r.trace) for r in ended))
        ended.append(result)
    return _joined(ended, lesson.config.epochs)


def first_scores(training: SelfTraining, task: Task, pool: Pool, rows: Tensor) -> Tensor:
    """Who chooses the labels of the first round: zero-shot or the weak model.

    Args:
        training: Says which.
        task: The run; holds class text and its scale.
        pool: Its rows.
        rows: (m,) int64, those of the pool to choose among.

    Returns:
        (m, classes) float64, log-probabilities.
    """
    if training.first == "weak":
        return log_probabilities(lambda weak: weak, pool.supervision, rows)
    text, head = task.inputs.text, PrototypeHead()
    assert text is not None  # noqa: S101 - without it the method is not applicable
    prototypes = {"prototypes": text.to(task.device)}
    tau = temperature(head, {}, task.inputs.logit_scale)
    return log_probabilities(
        lambda features: head.logits(prototypes, head.prepare(features)) / tau, pool.features, rows
    )


@torch.no_grad()
def log_probabilities(logits: Callable[[Tensor], Tensor], source: Rows, rows: Tensor) -> Tensor:
    """What a classifier makes of some rows (m,) of a source: log softmax (m, classes), float64.

    In float32 the most confident rows, whose probability rounds to 1, would all be equal.
    """
    return torch.cat([logits(part).double().log_softmax(dim=-1) for part in blocks(source, rows)])


def _fit(
    lesson: Lesson, learner: Learner, taught: PseudoLabels, *, classes: int
) -> Fitted | Exploded:
    """One round: its rows and the val rows after them are a data set of their own."""
    count, places = len(taught.rows), torch.cat([learner.rows[taught.rows], learner.val_rows])
    one_hot = label_logits(taught.classes, classes)
    data = FitData(prepared=picked(lesson.prepared, places), targets=lesson.loss.targets(one_hot))
    numbers = torch.arange(len(places), device=places.device)
    pupil = replace(learner, rows=numbers[:count], val_rows=numbers[count:])
    [result] = fit(lesson.head, lesson.loss, data, [pupil], lesson.config, observe=lesson.observe)
    return result


def _joined(rounds: Sequence[Fitted], epochs: int) -> Fitted:
    """The last round, with the steps of all of them one after the other."""
    trace: list[TracePoint] = []
    for number, each in enumerate(rounds):
        before = len(trace)
        trace += [
            replace(point, step=point.step + before, epoch=point.epoch + number * epochs)
            for point in each.trace
        ]
    last = rounds[-1]
    assert last.epoch is not None  # noqa: S101 - every round was trained
    epoch = last.epoch + (len(rounds) - 1) * epochs
    return replace(last, trace=tuple(trace), epoch=epoch)
