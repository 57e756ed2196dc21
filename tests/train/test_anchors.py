"""Anchors: class means of the other domains in place of text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from w2s_cache.errors import TrainError
from w2s_cache.results import check_run, read_record
from w2s_cache.store import writer
from w2s_cache.train.anchors import with_anchors
from w2s_cache.train.study import run_study


def other(toy, domain, *, seed):
    """A second domain of the same home and spec, its features redrawn."""
    arrays = dict(toy.arrays)
    noise = np.random.default_rng(seed).standard_normal(arrays["features"].shape)
    arrays["features"] = (arrays["features"] + noise).astype(np.float32)
    return replace(toy, domain=domain, arrays=arrays, image_only=True).write()


def in_shards_of(rows):
    """The defaults of a writer whose stores have small shards."""
    return {**writer.open_writer.__wrapped__.__kwdefaults__, "shard_rows": rows}


@pytest.fixture
def trio(make_toy):
    """Three image-only domains in one cache; the first is the one that is trained."""
    toy = make_toy(image_only=True)
    return toy, other(toy, "ink", seed=1), other(toy, "oil", seed=2)


def anchored(toy):
    """The toy under a spec whose encoder declares anchors."""
    strong = {"clip": toy.spec.strong["clip"].model_copy(update={"anchors": "other-domains"})}
    return replace(toy, spec=toy.spec.model_copy(update={"strong": strong}))


def test_anchors_are_literal_class_means_of_the_others_training_rows(trio):
    """Unit rows averaged per class and domain, then over domains, as loops over D_train."""
    toy, *others = trio
    inputs = with_anchors(toy.home, toy.inputs(), [found.features() for found in others])
    for label in range(4):
        directions = []
        for found in others:
            rows = found.arrays["features"][:50][found.arrays["labels"][:50] == label]
            total = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).sum(axis=0)
            directions.append(total / np.linalg.norm(total))
        expected = sum(directions) / np.linalg.norm(sum(directions))
        np.testing.assert_allclose(inputs.text[label].numpy(), expected, rtol=1e-4, atol=1e-6)


def test_other_domains_are_read_shard_by_shard_to_the_same_bits(
    make_toy, trio, monkeypatch, shards_read
):
    """However their rows lie in shards, every shard is read once and the sum is the same."""
    toy, ink, _ = trio
    whole = with_anchors(toy.home, toy.inputs(), [ink.features()])
    monkeypatch.setattr(writer.open_writer.__wrapped__, "__kwdefaults__", in_shards_of(7))
    pieces = make_toy("pieces", image_only=True)
    small = other(pieces, "ink", seed=1)
    inputs = pieces.inputs()
    shards_read.clear()
    parts = with_anchors(small.home, inputs, [small.features()])
    assert len(shards_read) == len(set(shards_read)) == 22
    assert torch.equal(parts.text, whole.text)


def test_labels_of_the_domain_itself_are_not_read(trio, relabel):
    """Nor those of its test half, nor of its training half: anchors stay what they are."""
    toy, *others = trio
    found = [each.features() for each in others]
    plain = with_anchors(toy.home, toy.inputs(), found)
    moved = with_anchors(toy.home, relabel(toy.inputs(), np.arange(150)), found)
    assert torch.equal(plain.text, moved.text)


def test_a_study_gives_anchors_to_methods_that_ask_for_text(trio):
    """Zero-shot and CPL run, and their records name what stood in for text."""
    toy = anchored(trio[0])
    study = toy.study(
        strong=toy.spec.strong["clip"], methods=("zero-shot", "cpl", "pooled-lda"), seeds=(0,)
    )
    for outcome in run_study(study, home=toy.home, results_dir=toy.results):
        record = read_record(outcome.directory)
        assert record.status == "done"
        assert len(record.inputs["anchors_key"]) == 64
        assert record.inputs["text_key"] is None
        assert check_run(outcome.directory) == []


def test_the_digest_tells_which_domains_gave_the_anchors(trio):
    """One domain less is another input."""
    toy, one, two = trio
    both = with_anchors(toy.home, toy.inputs(), [one.features(), two.features()])
    alone = with_anchors(toy.home, toy.inputs(), [one.features()])
    assert both.digests["anchors_key"] != alone.digests["anchors_key"]


def test_methods_through_the_text_tower_stay_not_applicable(trio):
    """Anchors are vectors; there is still no tower to train through."""
    toy = anchored(trio[0])
    study = toy.study(strong=toy.spec.strong["clip"], methods=("tp-ce",), seeds=(0,))
    (outcome,) = run_study(study, home=toy.home, results_dir=toy.results)
    assert outcome.record.status == "not-applicable"


def test_anchors_without_another_domain_are_refused(make_toy):
    """There is nothing to take them from, and the error says what to do."""
    toy = make_toy(image_only=True)
    with pytest.raises(TrainError, match=r"come from other domains.*Extract another domain"):
        with_anchors(toy.home, toy.inputs(), [])


def test_an_encoder_with_text_needs_no_anchors(toy):
    """Text is never silently replaced."""
    with pytest.raises(TrainError, match="has a text tower"):
        with_anchors(toy.home, toy.inputs(), [toy.features()])
