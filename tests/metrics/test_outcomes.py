"""Laws of sorting predictions by image."""

import numpy as np
import pytest

from w2s_cache.errors import RecordError
from w2s_cache.metrics import gather_outcomes

PATHS = [["b", "a"], ["c", "a", "d"]]
RIGHT = [
    np.array([[True, False], [True, True]]),
    np.array([[False, False], [False, True], [True, True]]),
]


def test_every_row_lands_at_its_image_and_seed():
    """Images stand in order, whatever the order of rows; what is absent is not right."""
    told = gather_outcomes(PATHS, RIGHT)
    assert told.present.tolist() == [[True, True], [True, False], [False, True], [False, True]]
    assert told.right[0].tolist() == [[True, True], [False, True]]
    assert told.right[1].tolist() == [[True, False], [False, False]]
    assert (told.images, told.rows) == (4, 5)


def test_accuracies_are_means_over_seeds():
    """Every seed counts alike, however many rows it has: (1 + 1/3)/2 and (1/2 + 2/3)/2."""
    assert gather_outcomes(PATHS, RIGHT).accuracy() == pytest.approx([2 / 3, 7 / 12])


@pytest.mark.parametrize(
    ("paths", "right"),
    [
        ([], []),
        ([[], ["a"]], [RIGHT[0][:0], RIGHT[0][:1]]),
        (PATHS, RIGHT[::-1]),
        ([["a", "a"]], [RIGHT[0]]),
    ],
)
def test_what_is_not_whole_runs_is_refused(paths, right):
    """No seed, no row, other numbers of rows, an image twice in one seed."""
    with pytest.raises(RecordError, match="sorted by image"):
        gather_outcomes(paths, right)
