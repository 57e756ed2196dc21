"""Which rows become pseudo-labels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.errors import TrainError
from w2s_cache.supervision.pseudo_labels import CHOICES, pseudo_labels


def boards(scores, count, choice):
    """Rows by class, in the order they were chosen."""
    found = pseudo_labels(torch.tensor(scores, dtype=torch.float64), count, choice=choice)
    assert found.rows.dtype == found.classes.dtype == torch.int64
    named = list(zip(found.rows.tolist(), found.classes.tolist(), strict=True))
    assert [label for _, label in named] == sorted(label for _, label in named)
    return [[row for row, of in named if of == label] for label in range(len(scores[0]))]


TABLES = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=9)


@given(scores=TABLES, count=st.integers(1, 12))
def test_per_class_takes_the_rows_a_class_is_most_probable_for(scores, count):
    """The K first of all rows by falling score, then by row: every class has min(K, n)."""
    rows = range(len(scores))
    expected = [sorted(rows, key=lambda r: (-scores[r][k], r))[:count] for k in range(3)]
    assert boards(scores, count, "per-class") == expected


@given(scores=TABLES, count=st.integers(1, 12))
def test_argmax_takes_each_row_for_its_most_probable_class_alone(scores, count):
    """The K first of the rows whose first highest score is the class's; no row comes twice."""
    own = [row.index(max(row)) for row in scores]
    expected = [
        sorted((r for r, label in enumerate(own) if label == k), key=lambda r: (-scores[r][k], r))
        for k in range(3)
    ]
    assert boards(scores, count, "argmax") == [board[:count] for board in expected]


def test_a_leaderboard_hands_rows_without_a_place_to_other_classes():
    """By hand, K = 1: 0 leads A; 1 finds A full and takes B; 2 pushes 1 off B; 3 pushes 0 off A.

    Who is pushed off is offered to no other class, though C has room: only 4, which is below 3 on
    A and below 2 on B, takes C.
    """
    scores = [
        [0.90, 0.08, 0.02],
        [0.80, 0.15, 0.05],
        [0.25, 0.70, 0.05],
        [0.95, 0.03, 0.02],
        [0.50, 0.30, 0.20],
    ]
    assert boards(scores[:2], 1, "leaderboard") == [[0], [1], [1]]
    assert boards(scores, 1, "leaderboard") == [[3], [2], [4]]


def test_a_leaderboard_is_in_order_only_once_it_has_overflowed():
    """By hand, K = 2: 2 is above 0 on A, but is compared with 1, the last that was put there."""
    scores = [[0.5, 0.3], [0.9, 0.1], [0.7, 0.2]]
    assert boards(scores, 2, "leaderboard") == [[1, 0], [2]]
    assert boards(scores, 2, "per-class")[0] == [1, 2]
    reordered = [*scores, [0.95, 0.05]]
    assert boards(reordered, 2, "leaderboard")[0] == [3, 1]


def test_a_leaderboard_keeps_the_first_of_equals():
    """By hand, K = 1: 1 is as probable for A as 0, which is not enough, and takes B."""
    assert boards([[0.6, 0.4], [0.6, 0.4]], 1, "leaderboard") == [[0], [1]]


def test_confident_rows_that_round_to_probability_one_keep_their_order():
    """Scores that differ in the 12th digit are told apart."""
    assert boards([[-2e-12, -9.0], [-1e-12, -9.0]], 1, "per-class")[0] == [1]


@pytest.mark.parametrize("choice", CHOICES)
def test_a_class_that_no_row_is_taken_for_takes_nothing_from_others(choice):
    """More labels asked for than there are rows: every row that may be is there, once a class."""
    found = boards([[0.9, 0.1, 0.0], [0.8, 0.1, 0.1]], 5, choice)
    assert found[0] == [0, 1]
    assert all(len(set(board)) == len(board) <= 2 for board in found)


def test_an_unknown_choice_is_refused_by_name():
    """Nothing is chosen by another rule than the one asked for."""
    with pytest.raises(TrainError, match=r"hyper-parameter choice.*leaderboard"):
        pseudo_labels(torch.zeros(2, 2), 1, choice="best")
