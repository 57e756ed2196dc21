"""What the cache holds, told without reading an array, is what a run would say it was made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.feature_set import feature_set_path, load_feature_set, write_feature_set
from w2s_cache.store.reader import Store
from w2s_cache.train.anchors import with_anchors
from w2s_cache.train.current import features_of
from w2s_cache.train.held import held_inputs, inputs_of


@pytest.fixture
def record(toy):
    """A run on the toy's features."""
    return toy.run("weak").record


def _file(toy):
    return feature_set_path(toy.home, dataset="toy", domain="art", strong="clip", weak="net")


@pytest.mark.parametrize("invalid", [(), (3, 70)])
def test_it_is_what_training_reads(make_toy, monkeypatch, invalid):
    """Digest by digest, skipped images included, though no shard is opened."""
    toy = make_toy(invalid=invalid)
    digests = toy.inputs().digests
    monkeypatch.setattr(Store, "_gather", None)
    assert inputs_of(toy.home, toy.features(), anchored=False) == digests
    assert ("skipped_key" in digests) == bool(invalid)


def test_anchors_of_other_domains_are_part_of_it(make_toy):
    """As training makes them, the images that another domain skipped included."""
    one = make_toy(image_only=True)
    other = make_toy(image_only=True, domain="photo", invalid=(1,))
    digests = with_anchors(one.home, one.inputs(), [other.features()]).digests
    assert inputs_of(one.home, one.features(), anchored=True) == digests


def test_a_run_finds_the_features_it_was_made_of(toy, record):
    """By its names and its request."""
    assert held_inputs(toy.home, [record, record]) == {features_of(record): record.inputs}


def test_a_cache_without_the_features_holds_none_of_them(toy, record, tmp_path):
    """No cache, no such model, another request: nothing to compare with."""
    other = replace(record, inputs={**record.inputs, "request_digest": "a" * 64})
    assert held_inputs(tmp_path / "nowhere", [record]) == {}
    assert held_inputs(toy.home, [replace(record, weak="mine"), other]) == {}


def test_a_file_of_another_pair_is_not_taken_for_it(toy, record):
    """Names decide, not where a file lies."""
    found = replace(load_feature_set(_file(toy)), weak="mine")
    write_feature_set(toy.home, found).rename(_file(toy))
    assert held_inputs(toy.home, [record]) == {}


def test_a_damaged_feature_set_is_refused(toy, record):
    """What cannot be read is not taken for absent, which would bring back dates."""
    _file(toy).write_text("{")
    with pytest.raises(CorruptStoreError, match="extract"):
        held_inputs(toy.home, [record])
