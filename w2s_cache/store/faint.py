"""Rows too small for their type: below its normal numbers digits are lost, then all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def faint_rows(values: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[np.bool_]:
    """Which rows a cast would make zero or coarser than the type's own precision.

    Those are the rows whose numbers are all below the smallest normal one, and which the cast would
    change. Small numbers beside one of normal size lose nothing that the row's length shows; rows
    of zeros, and numbers that the type holds exactly, lose nothing at all.

    Args:
        values: (..., D) numbers; integers are never too small.
        dtype: The floating type that they are to be cast to.

    Returns:
        (...,) bool; False also where a row has NaN.
    """
    kind = np.dtype(dtype)
    if values.dtype.kind != "f" or np.can_cast(values.dtype, kind):
        return np.zeros(values.shape[:-1], dtype=np.bool_)
    largest = np.maximum(values.max(axis=-1), -values.min(axis=-1))  # no copy, as abs() would make
    faint: npt.NDArray[np.bool_] = np.asarray(largest < np.finfo(kind).tiny)
    if faint.any():
        low = values[faint]
        faint[faint] = (low.astype(kind) != low).any(axis=-1)
    return faint


def faint_limit(dtype: npt.DTypeLike) -> str:
    """What is expected of a row instead, for messages."""
    kind = np.dtype(dtype)
    smallest = float(np.finfo(kind).tiny)
    return (
        f"a number of at least {smallest:.3g} in each row, the least that {kind.name} holds fully"
    )
