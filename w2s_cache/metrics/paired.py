"""Two vectors of class numbers that speak of the same rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from w2s_cache.errors import TrainError


def check_paired(first: npt.NDArray[np.integer], second: npt.NDArray[np.integer]) -> None:
    """Refuses vectors that cannot be compared row by row.

    Args:
        first: Class numbers, (N,) integer.
        second: Class numbers of the same rows, (N,) integer.

    Raises:
        TrainError: A vector is not one-dimensional, not of integers or empty, or lengths differ.
    """
    right = all(v.ndim == 1 and v.size > 0 and v.dtype.kind in "iu" for v in (first, second))
    if not right or first.shape != second.shape:
        raise TrainError(
            "class numbers cannot be compared row by row",
            expected="two integer vectors of one length, at least one row",
            found=f"{first.dtype} {first.shape} and {second.dtype} {second.shape}",
            fix="Give the predictions and the labels of the same rows.",
        )
