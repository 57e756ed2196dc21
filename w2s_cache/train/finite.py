"""Finds numbers that are not finite: those that training reads, and those it ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from torch import Tensor

from w2s_cache.errors import CorruptStoreError
from w2s_cache.train.source import BLOCK, Rows, Streamed


def finite_rows(source: Rows, valid: np.ndarray, *, what: str) -> Rows:
    """The same rows, refused where they are not finite: now if in memory, else as they are read.

    Args:
        source: (n, d) numbers.
        valid: (n,) bool; rows that are not valid may hold anything.
        what: Whose numbers they are, for messages.

    Raises:
        CorruptStoreError: A valid row has NaN or infinity, now or when it is asked for.
    """
    if isinstance(source, Streamed):
        return replace(
            source, read=lambda rows: _finite(source.read(rows), valid[rows.numpy()], what)
        )
    assert isinstance(source, Tensor)  # noqa: S101 - there is no third kind
    for start in range(0, len(source), BLOCK):  # no mask as large as the numbers
        _finite(source[start : start + BLOCK], valid[start : start + BLOCK], what)
    return source


def _finite(rows: Tensor, valid: np.ndarray, what: str) -> Tensor:
    """Rows (m, d), after a look at those that are valid, (m,) bool."""
    if (~rows.isfinite().all(dim=-1).numpy() & valid).any():
        raise CorruptStoreError(
            f"the {what} cannot be used",
            expected="finite numbers",
            found="NaN or infinity",
            fix="Run `w2s-cache cache verify`: it says where, and how to make them anew.",
        )
    return rows


def broken(answer: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors, trained parameters and confidences, that hold NaN or infinity."""
    return [name for name, values in answer.items() if not values.isfinite().all()]
