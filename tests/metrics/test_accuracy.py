"""Laws of accuracy and agreement."""

import numpy as np
import pytest

from w2s_cache.errors import TrainError
from w2s_cache.metrics import accuracy, agreement


@pytest.mark.parametrize("measure", [accuracy, agreement])
def test_share_of_equal_entries(measure):
    """Three of four equal entries are 0.75, counted by hand."""
    assert measure(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])) == 0.75


@pytest.mark.parametrize("measure", [accuracy, agreement])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([0, 1]), np.array([0])),
        (np.array([], dtype=int), np.array([], dtype=int)),
        (np.array([[0, 1]]), np.array([[0, 1]])),
        (np.array([0.0, 1.0]), np.array([0, 1])),
    ],
    ids=["lengths", "empty", "matrix", "floats"],
)
def test_vectors_that_cannot_be_compared_are_refused(measure, first, second):
    """Broadcasting, emptiness and logits in place of classes are errors, never a number."""
    with pytest.raises(TrainError, match="row by row"):
        measure(first, second)
