"""Laws of rows too small for their type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from w2s_cache.store.faint import faint_limit, faint_rows

TINY = 2.0**-14  # of float16, by its definition


@pytest.mark.parametrize(
    ("row", "faint"),
    [
        ([1e-9, -1e-9], True),  # all of it would vanish
        ([-6e-5, 1e-5], True),  # digits would
        ([0.99 * TINY, 0.0], True),
        ([TINY, 1e-9], False),  # the row's length loses nothing
        ([-TINY, 1e-9], False),
        ([0.0, 0.0], False),
        ([TINY / 2, 2.0**-24], False),  # exact all the same
        ([np.nan, 1e-9], False),  # another law's matter
        ([np.inf, 1e-9], False),
    ],
)
def test_a_row_is_faint_if_no_number_is_normal_and_the_cast_changes_one(
    row: list[float], faint: bool
) -> None:
    """Small numbers beside a normal one, zeros and exact numbers are not."""
    values = np.array([[1.0, 0.0], row], dtype=np.float32)
    assert faint_rows(values, "float16").tolist() == [False, faint]


@settings(deadline=None)
@given(arrays(np.float64, (3, 4), elements=st.floats(-1, 1) | st.floats(-1e-4, 1e-4)))
def test_what_is_not_faint_keeps_its_length_within_the_precision_of_its_type(
    values: np.ndarray,
) -> None:
    """No number of it moves by more than the type's relative precision of the largest."""
    kept = values[~faint_rows(values, np.float16)]
    moved = np.abs(kept.astype(np.float16) - kept).max(axis=1, initial=0)
    assert (moved <= np.finfo(np.float16).eps * np.abs(kept).max(axis=1, initial=0)).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int64])
def test_a_type_that_holds_every_number_makes_nothing_faint(kind: type) -> None:
    """Nor do integers have small fractions."""
    values = np.array([[1e-7, 0], [0, 3]]).astype(kind)
    assert not faint_rows(values, np.float32).any()


def test_every_vector_of_a_row_counts() -> None:
    """Of class text, a template whose feature is too small."""
    values = np.array([[[1.0, 1.0], [1e-50, 0.0]], [[1.0, 1.0], [0.0, 0.0]]])
    assert faint_rows(values, np.float32).tolist() == [[False, True], [False, False]]


def test_the_limit_is_the_smallest_normal_number() -> None:
    """What messages ask for."""
    assert "at least 6.1e-05 in each row" in faint_limit("<f2")
