"""Numbers that break no law and still look wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from w2s_cache.cache.numbers import Suspicions
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.reader import read_manifest
from w2s_cache.store.shard_walk import shard_arrays

ROWS, WIDTH = 40, 8


@pytest.fixture
def said(tmp_path: Path, laid_down):
    """A function from values and valid mask of an image store to what is said of them."""

    def say(change, *, valid=None, contents=None, kind="image", array="features"):
        values = np.random.default_rng(0).normal(size=(ROWS, WIDTH))
        change(values)
        mask = np.ones(ROWS, dtype=bool) if valid is None else valid
        spec = ArraySpec(name=array, row_shape=(WIDTH,), dtype="float32")
        how = {"valid": mask, "kind": kind, "shard_rows": 16}
        directory = laid_down(tmp_path / "store", [spec], {array: values}, **how)
        numbers = Suspicions()
        for shard, arrays in shard_arrays(directory, read_manifest(directory)):
            numbers.observe(shard, arrays)
        return list(numbers.told(contents))

    return say


def test_ordinary_noise_is_not_suspicious(said):
    """Rows of a normal distribution give no note."""
    assert said(lambda _: None) == []


def test_zero_rows_are_told_from_other_constant_rows(said):
    """A row of one number repeated is what a blank image or a dead model gives."""

    def change(values):
        values[3], values[30] = 0, 0.5

    first = said(change)[0]
    assert first == "features: 2 rows of one number repeated (1 of them zero; row 3, 30)"


def test_outlying_norms_are_named_except_of_logits(said):
    """A norm four times the median, or a quarter of it, is odd for features, usual for logits."""

    def change(values):
        values[[5, 6]] *= (100,)
        values[33] /= 100

    told = said(change)
    assert len(told) == 1
    assert "3 rows with a norm beyond 4 times or a quarter of the median" in told[0]
    assert "row 5, 6, 33" in told[0]


def test_logits_may_have_any_norm(said):
    """How large logits are says how sure a model is."""
    assert (
        said(
            lambda v: v.__imul__(np.linspace(0.01, 9, ROWS)[:, None]), kind="logits", array="logits"
        )
        == []
    )


def test_repeated_rows_are_counted_across_shards_and_copies_of_images_told_apart(said):
    """A repeated row is named; whether its image is a copy too is said where it is known."""

    def change(values):
        values[20], values[39] = values[1], values[2]

    contents = [str(row) for row in range(ROWS)]
    contents[20] = contents[1]
    [told] = said(change, contents=contents)
    assert told == (
        "features: 2 rows repeat an earlier row (row 20, 39); "
        "1 of them are copies of the same image"
    )


def test_invalid_rows_are_counted_and_not_judged(said):
    """Rows without an image are a note of their own; their blanks are no repeated rows."""
    valid = np.ones(ROWS, dtype=bool)
    valid[[4, 8]] = False
    assert said(lambda _: None, valid=valid) == [
        "2 of 40 rows are invalid (images that could not be read)"
    ]


def test_long_lists_of_rows_are_cut(said):
    """Five rows are named."""
    [told, _] = said(lambda v: v.__setitem__(slice(0, 30), 1))
    assert "row 0, 1, 2, 3, 4, …" in told
