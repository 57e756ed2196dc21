"""One method on one domain: from cached tensors to predictions, several seeds together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from w2s_cache.errors import TrainError
from w2s_cache.train.divergence import Diverged, nothing_left
from w2s_cache.train.predict import probable
from w2s_cache.train.settings import declared_candidates
from w2s_cache.train.task import Pool, Task
from w2s_cache.train.trial import Classified, Trial


def classify(tasks: Sequence[Task]) -> list[Classified | TrainError]:
    """Runs a method: trains every candidate, keeps the best by val, predicts.

    A candidate without finite numbers takes no part in the selection of that run. Ground truth is
    read only by methods supervised by it, by ``select = "oracle"`` and for curves; the labels of
    the evaluation rows are never trained or selected on.

    Args:
        tasks: Runs of one method on one domain that differ in seed and rows alone.

    Returns:
        One result per task, what the task alone gives up to float rounding; where all candidates
        of a run diverged, the refusal that names them. The other runs are as without it.

    Raises:
        TrainError: A hyper-parameter the method does not have.
        CorruptStoreError: Features or weak logits, read from disk now, that are not finite.
        EncoderError: The method trains through a text tower that cannot be attached.
    """
    if tasks[0].method.head is None:
        return [_weak_itself(task) for task in tasks]
    pool = Pool(tasks[0])
    selections = [_Selection(task) for task in tasks]
    for candidate in declared_candidates(tasks[0].declared):
        tried = Trial(tasks[0], candidate, pool).run(tasks)
        for selection, ended in zip(selections, tried, strict=True):
            selection.offer(ended)
    return [selection.result() for selection in selections]


class _Selection:
    """The best candidate of a run so far, and those that diverged."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._best: Classified | None = None
        self._diverged: list[Diverged] = []

    def offer(self, ended: Classified | Diverged) -> None:
        """Keeps the first of the highest val score."""
        if isinstance(ended, Diverged):
            self._diverged.append(ended)
        elif self._best is None or ended.val_score > self._best.val_score:
            self._best = ended

    def result(self) -> Classified | TrainError:
        """The kept candidate, or the refusal of a run without one."""
        if self._best is not None:
            return replace(self._best, diverged=tuple(self._diverged))
        return nothing_left(self._task.who, self._diverged)


def _weak_itself(task: Task) -> Classified:
    predicted, confidence = probable(task.inputs.weak_logits[torch.from_numpy(task.evaluate)])
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
