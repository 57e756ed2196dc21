"""Which of several states of the same features count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from w2s_cache.errors import StaleStoreError
from w2s_cache.train.current import (
    NOTHING_HELD,
    current,
    features_of,
    outdated,
    refuse_outdated,
)


@pytest.fixture
def old(toy):
    """A run with a late date."""
    return replace(toy.run("weak").record, created="2030-01-01T00:00:00+00:00")


@pytest.fixture
def new(old):
    """The same run on other logits, with an early date."""
    return _of(old, logits_key="b" * 64, created="2020-01-01T00:00:00+00:00")


def _of(record, *, created="2025-01-01T00:00:00+00:00", **inputs):
    return replace(record, inputs={**record.inputs, **inputs}, created=created)


def _held(record):
    """A cache that holds what a record was made of."""
    return {features_of(record): record.inputs}


def test_what_the_cache_holds_counts_whatever_the_dates(old, new):
    """A before B, B before A, a clock that is behind: only the features decide."""
    for held in (old, new):
        assert current([old, new], _held(held)) == [held]
        assert current([new, old], _held(held)) == [held]


def test_without_features_in_the_cache_the_newest_count(old, new):
    """There is nothing else to go by, and nothing is outdated."""
    assert current([old, new], NOTHING_HELD) == [old]
    assert outdated([old, new], NOTHING_HELD) == []


def test_where_no_run_is_of_the_features_held_the_newest_count_and_are_outdated(old, new):
    """They are shown, but not as if the cache held their features."""
    held = _held(_of(old, image_key="c" * 64))
    assert current([old, new], held) == [old]
    assert outdated([old], held) == [old]


def test_features_of_another_request_are_other_features(old, new):
    """What the cache holds of other templates displaces no run and makes none outdated."""
    held = _held(_of(new, request_digest="d" * 64))
    assert current([old, new], held) == [old]
    assert outdated([old, new], held) == []


def test_every_domain_and_pair_of_models_has_features_of_its_own(old, new):
    """The state of one domain says nothing of another's, nor one weak model's of another's."""
    others = [replace(old, domain="photo"), replace(old, weak="mine"), replace(old, strong="x")]
    assert current([old, new, *others], _held(new)) == [new, *others]


def test_runs_on_fewer_images_are_of_other_features(old):
    """Images that were skipped, or anchors, are part of what a run was made of."""
    skipped, anchored = _of(old, skipped_key="e" * 64), _of(old, anchors_key="f" * 64)
    assert current([old, skipped], _held(skipped)) == [skipped]
    assert outdated([old, skipped], _held(old)) == [skipped]
    assert outdated([anchored], _held(_of(old, anchors_key="0" * 64))) == [anchored]


def test_outdated_runs_are_refused_with_what_differs_and_one_command_for_all(old, new):
    """Digests expected and found, methods and seeds together; current runs pass."""
    other = replace(new, method="cpl", seed=1)
    with pytest.raises(StaleStoreError) as told:
        refuse_outdated([new, old, other], _held(old))
    assert told.value.expected == f"logits_key {new.inputs['logits_key'][:12]}"
    assert told.value.found == f"logits_key {old.inputs['logits_key'][:12]}"
    command = "w2s-cache train --method weak,cpl --domain art --seeds 0-1 --strong clip --weak net"
    assert f"`{command}`" in told.value.fix
    refuse_outdated([old], _held(old))
