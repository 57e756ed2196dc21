"""How far weak labels can be trusted, judged by their neighbours and without ground truth.

Images that look alike mostly are alike, so a weak label that few neighbours share is doubtful, and
a class whose labels are rarely shared is one that the weak model does not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from w2s_cache.neighbours.search import Neighbours
from w2s_cache.neighbours.vote import agreement, one_hot, vote

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageQuality:
    """Weak labels of images beside what their neighbours say; (n,) each.

    Args:
        weak: Weak labels, int64.
        agreement: Share of the neighbours that carry the same weak label, in [0, 1].
        voted: The label that wins the neighbours' weighted vote, int64.
        share: The winner's share of the votes, in [0, 1].
    """

    weak: Integers
    agreement: Floats
    voted: Integers
    share: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassQuality:
    """One class, of the images that carry its weak label.

    Args:
        label: Class number.
        images: How many there are.
        agreement: Mean share of their neighbours with the same weak label; None without images.
        kept: Share of them whose neighbours vote for the class too; None without images.
        rival: The class most of the others are voted into; None where there are none.
        weak_accuracy: Share whose true label it is; None without images or unless asked for.
        vote_accuracy: Share of them whose vote is right; None likewise.
    """

    label: int
    images: int
    agreement: float | None
    kept: float | None
    rival: int | None
    weak_accuracy: float | None
    vote_accuracy: float | None


def image_quality(
    neighbours: Neighbours, weak: Tensor, *, classes: int, tau: float
) -> ImageQuality:
    """Judges the weak label of every row by those of its neighbours.

    Args:
        neighbours: (n, m) other rows of each row, m ≥ 1.
        weak: (n,) int64 weak labels.
        classes: Number of classes.
        tau: Temperature of the vote.
    """
    share, voted = vote(neighbours, one_hot(weak, classes), tau=tau).max(dim=-1)
    return ImageQuality(
        weak=weak.numpy(),
        agreement=agreement(neighbours, weak, weak).numpy(),
        voted=voted.numpy(),
        share=share.double().numpy(),
    )


def class_quality(
    quality: ImageQuality, *, classes: int, truth: Integers | None = None
) -> list[ClassQuality]:
    """Sums images up by weak label; one entry per class, in the order of classes.

    Args:
        quality: Of every image.
        classes: Number of classes.
        truth: (n,) true labels, only where somebody asked for them.
    """
    return [_class(quality, label, classes, truth) for label in range(classes)]


def _class(quality: ImageQuality, label: int, classes: int, truth: Integers | None) -> ClassQuality:
    mine = quality.weak == label
    voted = quality.voted[mine]
    others = np.bincount(voted[voted != label], minlength=classes)
    known = None if truth is None else truth[mine]
    return ClassQuality(
        label=label,
        images=int(mine.sum()),
        agreement=_mean(quality.agreement[mine]),
        kept=_mean(voted == label),
        rival=int(others.argmax()) if others.any() else None,
        weak_accuracy=None if known is None else _mean(known == label),
        vote_accuracy=None if known is None else _mean(known == voted),
    )


def most_doubtful(quality: ImageQuality) -> Integers:
    """Places of the images, those first whose neighbours disagree most, (n,) int64.

    By agreement ascending, then by the rival's share descending, then by row.
    """
    rivalry = np.where(quality.voted == quality.weak, 0.0, quality.share)
    return np.lexsort((np.arange(len(rivalry)), -rivalry, quality.agreement))


def weak_labels(logits: Tensor) -> Tensor:
    """Weak logits (n, k) → the class each names, (n,) int64; the smallest among equals."""
    return torch.from_numpy(logits.numpy().argmax(axis=1))


def _mean(values: npt.NDArray[np.generic]) -> float | None:
    return float(values.mean()) if len(values) else None
