"""Accuracy class by class: the recall of every class, and their mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from w2s_cache.errors import TrainError
from w2s_cache.metrics.paired import check_paired


def per_class_accuracy(
    predicted: npt.NDArray[np.integer], labels: npt.NDArray[np.integer], classes: int
) -> npt.NDArray[np.float64]:
    """Share of right predictions among the rows of each true class.

    Args:
        predicted: Predicted class numbers, (N,) integer.
        labels: True class numbers in [0, classes), (N,) integer.
        classes: The number of classes K.

    Returns:
        (K,) float64, fractions in [0, 1]; NaN where a class has no row.

    Raises:
        TrainError: The vectors do not speak of the same rows, or a label is no class.
    """
    check_paired(predicted, labels)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise TrainError(
            "a label is no class",
            expected=f"labels from 0 to {classes - 1}",
            found=f"labels from {low} to {high}",
            fix="Give the number of classes these labels were made with.",
        )
    rows = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[predicted == labels], minlength=classes)
    shares = np.full(classes, np.nan)
    np.divide(right, rows, out=shares, where=rows > 0)
    return shares


def mean_per_class_recall(
    predicted: npt.NDArray[np.integer], labels: npt.NDArray[np.integer], classes: int
) -> float:
    """Mean of the per-class accuracies over the classes that have rows.

    Args:
        predicted: Predicted class numbers, (N,) integer.
        labels: True class numbers in [0, classes), (N,) integer.
        classes: The number of classes K.

    Returns:
        A fraction in [0, 1]; every class counts alike, however many rows it has.

    Raises:
        TrainError: The vectors do not speak of the same rows, or a label is no class.
    """
    return float(np.nanmean(per_class_accuracy(predicted, labels, classes)))
