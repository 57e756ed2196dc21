"""What every run of a domain reads."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from w2s_cache.errors import CorruptStoreError
from w2s_cache.sections import request_digest
from w2s_cache.train.inputs import load_inputs


def test_rows_come_back_as_they_were_stored(toy):
    """Features and logits are the stored numbers, unnormalised, in the order of the index."""
    inputs = toy.inputs()
    np.testing.assert_array_equal(inputs.features.numpy(), toy.arrays["features"])
    np.testing.assert_array_equal(inputs.weak_logits.numpy(), toy.arrays["weak"])
    np.testing.assert_array_equal(inputs.index.labels, toy.arrays["labels"])
    assert inputs.valid.all()


def test_the_text_ensemble_is_the_unit_mean_of_unit_templates(toy, make_toy):
    """Each template is normalised before the mean, so a long vector weighs no more than a short."""
    rng = np.random.default_rng(0)
    templates = rng.standard_normal((4, 3, 8)).astype(np.float32)
    text = make_toy("text", arrays={**toy.arrays, "text": templates}).inputs().text
    mean = (templates / np.linalg.norm(templates, axis=-1, keepdims=True)).mean(axis=1)
    expected = mean / np.linalg.norm(mean, axis=-1, keepdims=True)
    np.testing.assert_allclose(text.numpy(), expected, rtol=1e-5)
    templates[:, 0] *= 7
    scaled = make_toy("scaled", arrays={**toy.arrays, "text": templates}).inputs().text
    assert torch.allclose(scaled, text, atol=1e-6)


def test_an_image_invalid_in_one_store_is_invalid(make_toy):
    """Validity is the conjunction over stores."""
    inputs = make_toy(invalid=(3, 60)).inputs()
    assert np.flatnonzero(~inputs.valid).tolist() == [3, 60]


@pytest.mark.parametrize("memory", [None, 0])
def test_every_shard_is_read_once(make_toy, shards_read, memory):
    """Numbers, hash and mask are of one reading, whether rows stay in memory or on disk."""
    make_toy(invalid=(3, 60)).inputs(memory=memory)
    assert {path.parents[1].name for path in shards_read} == {"image", "logits", "text"}
    assert len(shards_read) == len(set(shards_read))


def test_digests_name_every_store_read(toy):
    """A record can tell the exact bytes it was made from."""
    found = toy.features()
    digests = load_inputs(toy.home, found).digests
    assert digests == {
        "request_digest": request_digest(toy.spec, strong="clip", weak="net"),
        "index_digest": found.index_digest,
        "image_key": found.image.key_digest,
        "logits_key": found.logits.key_digest,
        "text_key": found.text.key_digest,
    }


@pytest.mark.parametrize("name", ["logit_scale", "logit_bias"])
def test_a_logit_scale_edited_by_hand_is_refused(toy, name):
    """The store's key vouches for scale and bias; an attribute that says otherwise is named."""
    found = toy.features()
    manifest = toy.home / found.text.path / "manifest.json"
    data = json.loads(manifest.read_text())
    data["attributes"][name] = 7.0
    manifest.write_text(json.dumps(data))
    with pytest.raises(CorruptStoreError, match=f"{name} .* as in its key, found 7.0"):
        load_inputs(toy.home, found)
