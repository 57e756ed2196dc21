"""Numbers with nouns."""

from __future__ import annotations

import pytest

from w2s_cache.counted import counted


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ((1, "image"), "1 image"),
        ((0, "image"), "0 images"),
        ((2800, "image"), "2,800 images"),
        ((40, "class"), "40 classes"),
        ((1, "run is", "runs are"), "1 run is"),
        ((2, "run is", "runs are"), "2 runs are"),
    ],
)
def test_a_noun_is_singular_where_there_is_one(words, shown):
    """Thousands are grouped; the plural takes an s, es after an s, or what is said."""
    assert counted(*words) == shown
