"""Laws of bringing one domain into the cache: what is right, what is reused, what is computed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from w2s_cache.data.index_build import build_index
from w2s_cache.errors import (
    EncoderError,
    SpecError,
    UnknownNameError,
    WeakLogitsError,
)
from w2s_cache.extract import domain as domain_module
from w2s_cache.spec import FinetuneSpec
from w2s_cache.store.index import Index, read_index

NOTHING = {"features": 0, "text": 0, "logits": 0}


def test_features_are_the_encoder_s_on_each_image_in_index_order(bench: Any, listed: Any) -> None:
    """Row i of every array is image i of the bytewise order, bit by bit in float32."""
    done = bench.run()
    assert done.computed == {"features": 12, "text": 3, "logits": 12}
    assert (done.rows, done.reused) == (12, False)
    found = bench.stores()
    pixels = torch.stack(
        [
            bench.encoder.preprocess(Image.open(bench.request.root / path).convert("RGB"))
            for path in listed(bench.request.root)
        ]
    )
    wanted = bench.encoder.encode_images(pixels)
    for name in ("features", "preprojection"):
        assert np.array_equal(found["image"].read(name), wanted[name].numpy())
    assert np.array_equal(found["logits"].read("logits"), np.arange(36.0).reshape(12, 3))


def test_text_features_are_the_tower_s_for_each_class_and_template(bench: Any) -> None:
    """Row c, column t of the text store is template t filled with class c, with scale and bias."""
    templates = ("a photo of a {}", "{} drawn")
    changes = bench.with_spec(strong={"templates": templates})
    bench.run(**changes)
    text = bench.stores(**changes)["text"]
    prompts = [t.replace("{}", c) for c in ("blue", "green", "red") for t in templates]
    tokens = bench.encoder.text.tokenize(prompts)
    wanted = bench.encoder.text.encode_text(tokens).reshape(3, 2, -1)
    assert np.array_equal(text.read("features"), wanted.numpy())
    assert np.array_equal(text.read("tokens"), tokens.reshape(3, 2, -1).numpy())
    assert text.manifest.attributes["logit_scale"] == 50.0
    assert text.manifest.attributes["logit_bias"] == -1.5


def test_the_second_call_loads_and_computes_nothing(bench: Any) -> None:
    """A domain that is up to date costs no model."""
    bench.run()
    before = bench.feature_set()
    done = bench.run()
    assert done.reused
    assert (bench.loaded, bench.encoder.batches, bench.encoder.prompts) == ([], [], [])
    assert bench.feature_set() == before


def test_an_index_that_did_not_change_is_read_once(bench: Any, monkeypatch: Any) -> None:
    """A domain that is up to date does not ask twice what its rows are."""
    bench.run()
    read = []

    def noted(path: Path) -> Index:
        read.append(path.name)
        return read_index(path)

    monkeypatch.setattr(domain_module, "read_index", noted)
    assert bench.run().reused
    assert read == ["index.parquet"]


@pytest.mark.parametrize("change", [{"batch_size": 5}, {"workers": 1}, {"device": "auto"}])
def test_means_do_not_change_what_is_asked_for(bench: Any, change: dict[str, Any]) -> None:
    """Batch size, workers and device are no part of the question."""
    bench.run()
    assert bench.run(**change).reused
    assert bench.loaded == []


def test_a_moved_data_set_is_the_same_data_set(bench: Any, tmp_path: Path) -> None:
    """The place of the images does not count, their paths below it do."""
    bench.run()
    bench.request.root.rename(tmp_path / "elsewhere")
    assert bench.run(root=tmp_path / "elsewhere").reused


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_batches_never_cross_shards(bench: Any, batch_size: int) -> None:
    """Rows per batch start anew in every shard, so resuming meets the same batches."""
    bench.run(batch_size=batch_size)
    assert bench.encoder.batches == [min(batch_size, 4)] * (12 // min(batch_size, 4))


def test_recheck_loads_the_models_and_computes_nothing(bench: Any) -> None:
    """Rechecking compares the weights of today with the keys; the same weights are a hit."""
    bench.run()
    before = bench.feature_set()
    done = bench.run(recheck=True)
    assert bench.loaded == ["cpu"]
    assert bench.encoder.batches == []
    assert (done.computed, done.reused) == (NOTHING, True)
    assert bench.feature_set().image == before.image


def test_recheck_finds_weights_that_changed_under_their_name(bench: Any) -> None:
    """A tag whose weights were replaced is a hit until it is rechecked."""
    bench.run()
    before = bench.feature_set()
    bench.encoder.weights = "w1"
    assert bench.run().reused
    assert bench.run(recheck=True).computed == {"features": 12, "text": 3, "logits": 0}
    assert bench.feature_set().image != before.image


def test_recheck_reads_every_image(bench: Any, monkeypatch: Any) -> None:
    """Whatever is remembered of sizes and times is not trusted then."""
    told: list[bool] = []

    def build(*args: Any, reread: bool, **more: Any) -> Any:
        told.append(reread)
        return build_index(*args, reread=reread, **more)

    monkeypatch.setattr("w2s_cache.extract.domain.build_index", build)
    bench.run()
    bench.run(recheck=True)
    assert told == [False, True]


@pytest.mark.parametrize(
    ("template", "error"), [("plian", UnknownNameError), ("a {thing}", SpecError)]
)
def test_a_template_that_does_not_exist_is_refused_before_any_work(
    bench: Any, template: str, error: type[Exception]
) -> None:
    """Text comes last, but its faults show before the weak model is trained."""
    with pytest.raises(error):
        replace(bench.request, **bench.with_spec(strong={"templates": (template,)}))


def test_an_edited_image_is_computed_again(bench: Any, listed: Any) -> None:
    """Contents decide: one changed image is another data set, and its row is the new one."""
    bench.run()
    before = bench.stores()["image"].read("features")
    path = bench.request.root / listed(bench.request.root)[5]
    Image.new("RGB", (40, 36), (9, 9, 9)).save(path)
    assert bench.run().computed == {"features": 12, "text": 0, "logits": 12}
    after = bench.stores()["image"].read("features")
    assert np.flatnonzero((before != after).any(axis=1)).tolist() == [5]


def test_changed_templates_compute_text_alone_and_say_so(bench: Any) -> None:
    """The change is named aloud; images and logits are not touched."""
    bench.run()
    done = bench.run(**bench.with_spec(strong={"templates": ("a drawing of a {}",)}))
    assert done.computed == {**NOTHING, "text": 3}
    assert not done.reused
    assert bench.encoder.batches == []
    (said,) = bench.progress.said
    assert "strong.templates[0]" in said
    assert said.endswith("; computing what changed")


def test_named_template_sets_are_spelt_out(bench: Any) -> None:
    """A set's name stands for all its templates, beside literal ones."""
    bench.run(**bench.with_spec(strong={"templates": ("openai7", "{}")}))
    (folder,) = bench.request.home.glob("v1/tiny/text/*")
    assert len(json.loads((folder / "manifest.json").read_text())["key"]["templates"]) == 8


@pytest.mark.parametrize(("attribute", "value"), [("weights", "w1"), ("preprocessing", "p1")])
def test_another_identity_is_another_store(bench: Any, attribute: str, value: str) -> None:
    """Weights and preprocessing of the encoder are part of the key."""
    bench.run()
    setattr(bench.encoder, attribute, value)
    assert bench.run(recheck=True).computed["features"] == 12
    assert len(list(bench.request.home.glob("v1/tiny/d/image/*"))) == 2


def test_another_class_order_is_a_miss(bench: Any) -> None:
    """Text features and logits follow the classes in order; image features do not."""
    bench.run()
    changes = bench.with_spec(data={"classes": ("red", "green", "blue")})
    assert bench.run(**changes).computed == {"features": 0, "text": 3, "logits": 12}


def test_float16_halves_the_bytes_and_rounds(bench: Any) -> None:
    """The declared storage dtype is kept, and its rows are the rounded float32 ones."""
    bench.run()
    exact = bench.stores()
    changes = bench.with_spec(store={"dtype": "float16"})
    done = bench.run(**changes)
    assert done.computed == {"features": 12, "text": 3, "logits": 0}
    rough = bench.stores(**changes)
    for part in ("image", "text"):
        wanted = exact[part].read("features").astype(np.float16).astype(np.float32)
        assert np.array_equal(rough[part].read("features"), wanted)
    assert {spec.dtype for spec in rough["image"].manifest.arrays} == {"float16"}


def test_an_image_only_encoder_has_a_feature_set_without_text(bench: Any) -> None:
    """Without a text tower there is no text store, and the second call is a hit all the same."""
    bench.encoder.has_text = False
    assert bench.run().computed == {"features": 12, "logits": 12}
    assert bench.feature_set().text is None
    assert bench.run().reused


def test_two_encoders_of_one_width_never_mix(bench: Any) -> None:
    """Each name keeps its own features, whoever came last."""
    bench.run()
    one = bench.stores()["image"].read("features")
    bench.encoder.weights, bench.encoder.scale = "w1", 2.0
    other = {"strong_name": "twin"}
    assert bench.run(**other).computed["features"] == 12
    assert np.array_equal(bench.stores(**other)["image"].read("features"), 2 * one)
    assert np.array_equal(bench.stores()["image"].read("features"), one)
    assert bench.run().reused
    assert bench.run(**other).reused


def test_imported_logits_are_a_hit_until_their_file_changes(bench: Any, tmp_path: Path) -> None:
    """The file's content decides, not its name; only the logits are taken anew."""
    bench.run()
    moved = bench.request.weak_logits.rename(tmp_path / "moved.npz")
    assert bench.run(weak_logits=moved).reused
    paths = np.load(moved)["path"]
    np.savez(moved, path=paths, logits=np.ones((12, 3)))
    assert bench.run(weak_logits=moved).computed == {**NOTHING, "logits": 12}


@pytest.mark.parametrize("content", [None, b"nothing"])
def test_a_bad_file_of_logits_is_found_before_any_model_is_loaded(
    bench: Any, tmp_path: Path, content: bytes | None
) -> None:
    """Nobody waits for features to learn that the predictions are missing or broken."""
    file = tmp_path / "bad.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WeakLogitsError):
        bench.run(weak_logits=file)
    assert bench.loaded == []


def test_an_unknown_domain_is_offered_the_nearest(bench: Any) -> None:
    """A domain that the spec does not have is refused."""
    changes = bench.with_spec(data={"domains": ("dd", "e")})
    with pytest.raises(UnknownNameError, match="Did you mean 'dd'"):
        bench.run(**changes)


def test_a_device_that_does_not_exist_stops_before_any_work(bench: Any) -> None:
    """A wrong device is one sentence, and nothing was written."""
    with pytest.raises(EncoderError, match="graphics-card"):
        bench.run(device="graphics-card")
    assert not list(bench.request.home.rglob("*.h5"))


def test_a_weak_model_is_trained_once_and_its_logits_are_stored(bench: Any) -> None:
    """Fine-tuning happens once per recipe and data; a new encoder reuses the logits."""
    recipe = FinetuneSpec(epochs=1, batch_size=4)
    weak = bench.request.spec.weak["small"].model_copy(update={"finetune": recipe})
    means = {"weak_name": "small", "weak": weak, "weak_logits": None}
    assert bench.run(**means).computed == {"features": 12, "text": 3, "logits": 12}
    trainings = [label for label, _, _ in bench.progress.begun if "training" in label]
    assert trainings == ["d: training small"]
    logits = bench.stores(**means)["logits"].read("logits")
    assert logits.shape == (12, 3)
    assert bench.run(**means).reused
    bench.encoder.weights = "w1"
    assert bench.run(**means, recheck=True).computed == {"features": 12, "text": 3, "logits": 0}
    assert not [label for label, _, _ in bench.progress.begun if "training" in label]
    changed = {**means, "weak": weak.model_copy(update={"finetune": FinetuneSpec(epochs=2)})}
    assert bench.run(**changed).computed == {**NOTHING, "logits": 12}
    assert not np.array_equal(bench.stores(**changed)["logits"].read("logits"), logits)
    Image.new("RGB", (40, 36)).save(next(bench.request.root.rglob("*.png")))
    assert bench.run(**changed).computed == {"features": 12, "text": 0, "logits": 12}
