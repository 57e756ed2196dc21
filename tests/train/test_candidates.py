"""Hyper-parameters given as lists."""

from __future__ import annotations

import pytest

from w2s_cache.errors import TrainError
from w2s_cache.train.candidates import candidates


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [{}]),
        ({"tau": 0.1}, [{"tau": 0.1}]),
        ({"tau": [1.0, 0.1]}, [{"tau": 1.0}, {"tau": 0.1}]),
        (
            {"a": [1, 2], "b": "x", "c": [3, 4]},
            [{"a": a, "b": "x", "c": c} for a in (1, 2) for c in (3, 4)],
        ),
    ],
)
def test_every_combination_appears_once_first_listed_first(options, expected):
    """Candidates are the product of all lists, in the order written."""
    assert list(candidates(options)) == expected


def test_a_list_without_values_is_refused():
    """An empty list names no candidate."""
    with pytest.raises(TrainError, match="tau has no candidates"):
        list(candidates({"tau": []}))
