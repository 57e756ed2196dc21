"""From computed rows to stored rows: shapes, finiteness and range are checked before the cast."""

from __future__ import annotations

import numpy as np

from w2s_cache.counted import counted
from w2s_cache.errors import StoreError
from w2s_cache.store.faint import faint_limit, faint_rows
from w2s_cache.store.layout import INVALID_INTEGER, ArraySpec

FIX = "Correct what computes this array; nothing was written."


def stored_form(
    spec: ArraySpec, values: np.ndarray, *, valid: np.ndarray, start: int
) -> np.ndarray:
    """Return rows as they are stored: contiguous, little-endian, invalid rows blanked.

    Args:
        spec: The array's declaration.
        values: (R, *row_shape), floating for floating arrays, integer for integer arrays.
        valid: (R,) bool; the other rows become NaN (floats) or -1 (integers).
        start: Row number of the first row, for messages.

    Returns:
        (R, *row_shape) of the declared dtype, a new array.

    Raises:
        StoreError: another shape or another sort of number, a valid row that is not finite, a
            value beyond the range of the declared dtype, or a row too small for it.
    """
    wanted, target = (len(valid), *spec.row_shape), np.dtype(spec.dtype).newbyteorder("<")
    if values.shape != wanted:
        raise _refused(spec, f"shape {wanted}", f"shape {values.shape}")
    if values.dtype.kind != target.kind and (values.dtype.kind, target.kind) != ("u", "i"):
        raise _refused(spec, f"numbers that {spec.dtype} can hold", f"dtype {values.dtype}")
    blank = np.nan if target.kind == "f" else INVALID_INTEGER
    with np.errstate(over="ignore", invalid="ignore"):
        stored = np.ascontiguousarray(values.astype(target))
    stored[~valid] = blank
    _check_rows(spec, values, stored, valid=valid, start=start)
    return stored


def _check_rows(
    spec: ArraySpec, values: np.ndarray, stored: np.ndarray, *, valid: np.ndarray, start: int
) -> None:
    axes = tuple(range(1, values.ndim))
    if stored.dtype.kind == "i":
        in_range = (values == stored).all(axis=axes) | ~valid
        if not in_range.all():
            raise _refused(spec, f"values within {spec.dtype}", _rows(~in_range, start))
        return
    finite = np.isfinite(values).all(axis=axes) | ~valid
    if not finite.all():
        raise _refused(
            spec, "finite values in valid rows", "NaN or inf in " + _rows(~finite, start)
        )
    in_range = np.isfinite(stored).all(axis=axes) | ~valid
    if not in_range.all():
        limit = float(np.finfo(stored.dtype).max)
        found = "larger ones in " + _rows(~in_range, start)
        raise _refused(spec, f"magnitudes up to {limit:g}, the range of {spec.dtype}", found)
    faint = faint_rows(values, stored.dtype)
    faint = faint.reshape(len(valid), -1).any(axis=1) & valid
    if faint.any():
        raise _refused(spec, faint_limit(spec.dtype), "smaller ones in " + _rows(faint, start))


def _rows(bad: np.ndarray, start: int) -> str:
    rows = np.flatnonzero(bad) + start
    return f"{counted(len(rows), 'row')}, the first is row {rows[0]}"


def _refused(spec: ArraySpec, expected: str, found: str) -> StoreError:
    return StoreError(f"array {spec.name!r} is refused", expected=expected, found=found, fix=FIX)
