"""Laws of per-class accuracy."""

import warnings

import numpy as np
import pytest

from w2s_cache.errors import TrainError
from w2s_cache.metrics import mean_per_class_recall, per_class_accuracy

LABELS = np.array([0, 0, 0, 0, 2, 2])
PREDICTED = np.array([0, 0, 0, 1, 2, 0])


def test_each_class_has_its_own_share():
    """3 of 4, no rows, 1 of 2: counted by hand; a class without rows is NaN, not 0."""
    shares = per_class_accuracy(PREDICTED, LABELS, 3)
    np.testing.assert_array_equal(shares, [0.75, np.nan, 0.5])


def test_mean_recall_counts_classes_alike_and_leaves_out_empty_ones():
    """(0.75 + 0.5) / 2, where plain accuracy would be 4/6; no warning on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mean_per_class_recall(PREDICTED, LABELS, 3) == 0.625


def test_a_predicted_class_need_not_have_rows():
    """A prediction of a class that no row has counts as wrong and shifts nothing."""
    np.testing.assert_array_equal(
        per_class_accuracy(np.array([4, 1]), np.array([0, 1]), 5),
        [0, 1, np.nan, np.nan, np.nan],
    )


@pytest.mark.parametrize("labels", [np.array([0, 3]), np.array([-1, 0])])
def test_a_label_that_is_no_class_is_refused(labels):
    """A label outside [0, K) means the wrong class list."""
    with pytest.raises(TrainError, match="label is no class"):
        per_class_accuracy(np.array([0, 0]), labels, 3)
