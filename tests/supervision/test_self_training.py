"""How many pseudo-labels every round has."""

import pytest

from w2s_cache.errors import TrainError
from w2s_cache.supervision.self_training import SelfTraining


@pytest.mark.parametrize(
    ("rows", "classes", "expected"),
    [
        (1836, 102, [1, 3, 5, 7, 8, 10, 12, 14, 16, 17]),  # Flowers, semi-supervised
        (60_000, 10, list(range(600, 6001, 600))),  # MNIST, unsupervised
    ],
)
def test_grip_takes_a_tenth_more_of_all_rows_in_every_round(rows, classes, expected):
    """K_t = ⌊t · ⌊|U| / 10⌋ / C⌋, the sizes that the authors' code computes for these data sets."""
    assert SelfTraining(rounds=10, k=0).counts(rows, classes) == expected


def test_where_a_round_has_less_than_a_row_per_class_each_class_has_one():
    """The authors' code ends with an error there."""
    assert SelfTraining(rounds=10, k=0).counts(30, 8)[:4] == [1, 1, 1, 1]


def test_fpl_and_ifpl_take_the_same_number_in_every_round():
    """16 per class, once and ten times."""
    assert SelfTraining().counts(1000, 10) == [16]
    assert SelfTraining(rounds=10).counts(1000, 10) == [16] * 10


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rounds": 0}, "hyper-parameter rounds"),
        ({"k": -1}, "hyper-parameter k"),
        ({"choice": "best"}, "hyper-parameter choice"),
        ({"restart": "again"}, "hyper-parameter restart"),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(given, message):
    """Each hyper-parameter, before anything is trained."""
    with pytest.raises(TrainError, match=message):
        SelfTraining(**given)
