"""Top-1 accuracy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from w2s_cache.metrics.paired import check_paired


def accuracy(predicted: npt.NDArray[np.integer], labels: npt.NDArray[np.integer]) -> float:
    """Share of rows whose predicted class is the true one.

    Args:
        predicted: Predicted class numbers, (N,) integer.
        labels: True class numbers, (N,) integer.

    Returns:
        A fraction in [0, 1].

    Raises:
        TrainError: The vectors do not speak of the same rows, or there are none.
    """
    check_paired(predicted, labels)
    return float(np.mean(predicted == labels))
