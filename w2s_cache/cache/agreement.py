"""How far two arrays of the same rows agree: worst cosine and worst absolute difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """An array of a store beside the same rows computed again.

    Attributes:
        kind: Kind of the store.
        array: Name of the array.
        rows: How many rows were compared.
        cosine: The smallest cosine between a stored vector and the computed one.
        difference: The largest absolute difference between two numbers.
        row: The row of the smallest cosine.
    """

    kind: str
    array: str
    rows: int
    cosine: float
    difference: float
    row: int


def agreement(
    kind: str, array: str, rows: np.ndarray, stored: np.ndarray, computed: np.ndarray
) -> Agreement:
    """Compares vectors along the last axis.

    Args:
        kind: Kind of the store, for the answer.
        array: Name of the array, for the answer.
        rows: (R,) row numbers, R at least 1.
        stored: (R, …, D) floating.
        computed: The same shape.
    """
    one, other = stored.astype(np.float64), computed.astype(np.float64)
    norms = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    dots = (one * other).sum(axis=-1)
    equal = (one == other).all(axis=-1)  # zero vectors too
    cosines = np.where(equal, 1.0, dots / np.where(norms == 0, np.inf, norms))
    worst = cosines.reshape(len(rows), -1).min(axis=1)
    return Agreement(
        kind=kind,
        array=array,
        rows=len(rows),
        cosine=float(worst.min()),
        difference=float(np.abs(one - other).max()),
        row=int(rows[worst.argmin()]),
    )
