"""Laws of what may be stored, and as what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import StoreError
from w2s_cache.store.casting import stored_form
from w2s_cache.store.layout import ArraySpec

ALL = np.ones(3, dtype=bool)
SECOND_INVALID = np.array([True, False, True])


def spec(dtype: str) -> ArraySpec:
    """An array of rows of two numbers."""
    return ArraySpec(name="features", row_shape=(2,), dtype=dtype)


@settings(deadline=None)
@given(st.lists(st.floats(-60000, 60000, width=16), min_size=6, max_size=6))
def test_half_precision_numbers_are_kept_exactly(numbers: list[float]) -> None:
    """Casting to float16 changes no number that float16 can express."""
    values = np.array(numbers, dtype=np.float64).reshape(3, 2)
    stored = stored_form(spec("float16"), values, valid=ALL, start=0)
    assert stored.dtype == np.float16
    assert np.array_equal(stored.astype(np.float64), values)


def test_invalid_rows_are_blank_and_the_input_is_untouched() -> None:
    """Rows that are not valid become NaN or -1, whatever they held, in a copy."""
    values = np.array([[1, 2], [np.inf, 1e9], [3, 4]], dtype=np.float32)
    stored = stored_form(spec("float16"), values, valid=SECOND_INVALID, start=0)
    assert np.isnan(stored[1]).all()
    assert np.array_equal(stored[[0, 2]], values[[0, 2]])
    assert np.isinf(values[1, 0])
    tokens = stored_form(spec("int32"), np.full((3, 2), 2**40), valid=~ALL, start=0)
    assert (tokens == -1).all()


@pytest.mark.parametrize(
    ("dtype", "values", "found"),
    [
        ("float32", np.zeros((3, 3)), r"expected shape \(3, 2\), found shape \(3, 3\)"),
        ("float32", np.zeros((2, 2)), r"found shape \(2, 2\)"),
        ("float32", np.zeros((3, 2), np.int64), "found dtype int64"),
        ("int64", np.zeros((3, 2)), "found dtype float64"),
        ("float32", np.array([[0, 0], [0, np.nan], [0, 0]]), "NaN or inf in 1 row, .* row 101"),
        ("float32", np.array([[0, np.inf], [0, 0], [0, -np.inf]]), "2 rows, the first is row 100"),
        ("float16", np.array([[0, 0], [0, 0], [0, 65520.0]]), "up to 65504.*is row 102"),
        ("float32", np.array([[0, 0], [1e39, 0], [0, 0]]), "range of float32.*is row 101"),
        ("float16", np.array([[0, 0], [0, 0], [0, 1e-9]]), "at least 6.1e-05.*1 row.*is row 102"),
        ("float32", np.array([[0, 1e-60], [1, 0], [0, 0]]), "at least 1.18e-38.*is row 100"),
        ("int32", np.array([[0, 0], [2**31, 0], [0, 0]]), "within int32.*is row 101"),
        ("int64", np.full((3, 2), 2**63, np.uint64), "within int64.*3 rows"),
    ],
)
def test_what_cannot_be_stored_faithfully_is_refused(
    dtype: str, values: np.ndarray, found: str
) -> None:
    """Shape, sort, NaN, infinities, overflow and underflow of a row are refused, naming it."""
    with pytest.raises(StoreError, match=found):
        stored_form(spec(dtype), values, valid=ALL, start=100)


def test_small_numbers_beside_normal_ones_zeros_and_invalid_rows_are_stored() -> None:
    """Only a whole valid row that its type would swallow is refused."""
    values = np.array([[1, 1e-9], [1e-9, 1e-9], [0, 0]])
    stored = stored_form(spec("float16"), values, valid=SECOND_INVALID, start=0)
    assert stored[[0, 2]].tolist() == [[1, 0], [0, 0]]
