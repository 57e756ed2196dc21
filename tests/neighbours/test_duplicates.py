"""What near-duplicates come to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from w2s_cache.neighbours.duplicates import duplicates, leak
from w2s_cache.neighbours.search import Pairs


def found_among(pairs, is_train, sha256):
    """Pairs of rows as pairs of images."""
    first, second = (torch.tensor([pair[side] for pair in pairs]) for side in (0, 1))
    return duplicates(
        Pairs(first=first, second=second, cosines=torch.ones(len(pairs))),
        np.array(is_train),
        sha256,
    )


IS_TRAIN = [True, False, True, False, False, False]
FOUND = found_among([(0, 1), (0, 3), (1, 3), (4, 5)], IS_TRAIN, ["a", "a", "b", "c", "d", "e"])


def test_a_pair_is_named_by_its_halves_whatever_their_order():
    """Train before test, also where the test image has the smaller row."""
    assert [pair.kind for pair in FOUND] == ["train-test", "train-test", "test-test", "test-test"]
    assert [p.kind for p in found_among([(0, 1)], [False, True], "ab")] == ["train-test"]


def test_only_the_same_bytes_are_identical():
    """Equal digests, not a cosine of one."""
    assert [pair.identical for pair in FOUND] == [True, False, False, False]


def test_the_report_counts_pairs_groups_and_leaked_images_once():
    """By hand: rows 0-1-3 and 4-5; rows 1 and 3 leak, though three pairs touch them."""
    found = leak(FOUND, np.array(IS_TRAIN))
    assert found.pairs == {"train-train": 0, "train-test": 2, "test-test": 2}
    assert found.identical == {"train-train": 0, "train-test": 1, "test-test": 0}
    assert (found.groups, found.images) == (2, 5)
    assert (found.leaked, found.test) == (2, 4)


@pytest.mark.parametrize("pairs", [[(0, 1), (0, 2)], [(0, 2), (1, 2)], [(0, 1), (2, 3), (1, 3)]])
def test_images_are_of_one_group_when_a_chain_of_pairs_joins_them(pairs):
    """In whatever order the pairs come."""
    found = leak(found_among(pairs, IS_TRAIN, "abcdef"), np.array(IS_TRAIN))
    assert (found.groups, found.images) == (1, len({row for pair in pairs for row in pair}))
