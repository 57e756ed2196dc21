"""Comparing stores and feature sets: settings by name, then numbers."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from w2s_cache.cache.difference import (
    array_differences,
    comparable,
    same_bytes,
    set_differences,
    setting_differences,
)
from w2s_cache.cache.operand import SetOperand, StoreOperand, operand
from w2s_cache.cache.wanted import sets_of
from w2s_cache.errors import StoreError
from w2s_cache.store.fingerprint import ABSENT

SET = "v1/toy/art/sets/clip__net.json"


def side(home, path):
    """A store or feature set of a home."""
    return operand(home.path / path, home.path)


def image(home, domain="art", strong="clip"):
    """The image store of a feature set, as an operand."""
    fields = json.loads((home.path / f"v1/toy/{domain}/sets/{strong}__net.json").read_text())
    return side(home, fields["image"]["path"])


@pytest.fixture
def rewritten(home, laid_down):
    """A function: the image store of art with another grid of shards and changed numbers."""

    def write(change, *, valid=None):
        blocks, key = home.block("image", 0, 10), image(home).manifest.key
        change(blocks)
        mask = np.ones(10, dtype=bool) if valid is None else valid
        how = {"valid": mask, "key": key, "shard_rows": 3}
        return operand(laid_down(home.path / "x", home.arrays("image"), blocks, **how), home.path)

    return write


def numbers(one, other):
    """Array differences by name."""
    return {d.array: d for d in array_differences(one, other, advance=lambda _: None)}


def test_every_field_of_the_keys_that_differs_is_named_with_both_values(home):
    """Two models' stores differ in the model's name alone."""
    found = setting_differences(image(home), image(home, strong="siglip"))
    assert [(d.field, d.stored, d.wanted) for d in found] == [
        ("key.encoder.name", "clip", "siglip")
    ]


def test_a_field_that_one_side_lacks_is_absent_there(home):
    """Fields of one key only are differences too, and so are rows and arrays."""
    other = side(home, home.store("image", "clip", "art", images="x", more=1).path)
    found = {d.field: (d.stored, d.wanted) for d in setting_differences(image(home), other)}
    assert found["key.more"] == (ABSENT, 1)
    text = side(home, home.store("text", "clip", extra=1).path)
    fields = {d.field for d in setting_differences(image(home), text)}
    assert {"kind", "rows", "arrays.tokens", "arrays.features.row_shape"} <= {
        field.partition("[")[0] for field in fields
    }
    assert not comparable(image(home).manifest, text.manifest)


def test_a_copy_has_the_same_bytes(home, tmp_path):
    """A store copied elsewhere is equal without reading its numbers."""
    one = image(home)
    shutil.copytree(one.directory, tmp_path / "copy")
    other = operand(tmp_path / "copy", home.path)
    assert setting_differences(one, other) == []
    assert same_bytes(one, other)


def test_equal_numbers_on_another_grid_have_other_bytes_and_no_differing_row(home, rewritten):
    """How a store is cut into shards changes its files and none of its numbers."""
    other = rewritten(lambda _: None)
    assert not same_bytes(image(home), other)
    assert {d.differing for d in numbers(image(home), other).values()} == {0}


def test_every_shard_of_either_side_is_read_once(home, shards_read):
    """All arrays and the mask are compared from one reading, where both have the same shards."""
    numbers(image(home), image(home, strong="siglip"))
    assert len(shards_read) == len(set(shards_read)) > 2


def test_rows_that_differ_are_counted_and_the_worst_is_named(home, rewritten):
    """The largest difference is found across shards, in each array for itself."""

    def change(blocks):
        blocks["preprojection"][2, 0] += 0.5
        blocks["preprojection"][7, 3] -= 2.0

    found = numbers(image(home), rewritten(change))
    assert found["features"].differing == 0
    worst = found["preprojection"]
    assert (worst.rows, worst.differing, worst.row) == (10, 2, 7)
    assert worst.largest == pytest.approx(2.0, rel=1e-6)


def test_a_row_invalid_on_one_side_differs_without_a_number(home, rewritten):
    """NaN against a number is a row that differs; it has no distance."""
    other = rewritten(lambda _: None, valid=np.arange(10) != 4)
    found = numbers(image(home), other)["features"]
    assert (found.differing, found.largest) == (1, 0.0)


def test_feature_sets_differ_by_names_request_and_keys_not_by_date_or_place(home):
    """When a set was made and where its stores lie is no difference."""
    one = side(home, SET)
    fields = json.loads((home.path / SET).read_text())
    later = home.path / "v1/toy/art/sets/later__net.json"
    later.write_text(json.dumps({**fields, "created": "2030-01-01"}))
    assert set_differences(one, side(home, "v1/toy/art/sets/later__net.json")) == []
    found = set_differences(one, side(home, "v1/toy/art/sets/siglip__net.json"))
    assert {d.field for d in found} == {"strong", "request.strong.model", "image", "text"}


def test_an_operand_is_a_store_or_a_feature_set_by_any_of_its_names(home):
    """Folder, manifest and set are found here and below the home; other things are refused."""
    store = image(home).directory
    path = store.relative_to(home.path)
    assert isinstance(operand(path, home.path), StoreOperand)
    assert isinstance(operand(store / "manifest.json", home.path), StoreOperand)
    assert isinstance(
        operand(store.parents[3] / "toy/art" / "sets/clip__net.json", home.path), SetOperand
    )
    with pytest.raises(StoreError, match="something else"):
        operand(home.path / "v1/toy", home.path)
    with pytest.raises(StoreError, match="nothing of that name"):
        operand(home.path / "none", home.path)


def test_a_store_knows_the_feature_sets_that_need_it(home):
    """What a store was made for is what those sets asked for; an orphan was made for nothing."""
    fields = json.loads((home.path / SET).read_text())
    needing = sets_of(side(home, fields["logits"]["path"]))
    assert {item.found.strong for item in needing} == {"clip", "siglip"}
    with pytest.raises(StoreError, match="none that needs it"):
        sets_of(side(home, home.store("image", "new", "art").path))
