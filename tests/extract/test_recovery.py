"""Laws of recovery: what is damaged is said and made anew, what fails leaves the rest alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PIL import Image

from w2s_cache.errors import ImageError, NewerStoreError
from w2s_cache.store.index import read_index
from w2s_cache.train.inputs import load_inputs

NOTHING = {"features": 0, "text": 0, "logits": 0}


def test_a_damaged_index_is_made_anew_aloud(bench: Any) -> None:
    """The index comes from the images; a broken one is said and costs one reading of them."""
    bench.run()
    [index] = bench.request.home.glob("v1/tiny/d/index.parquet")
    whole = index.read_bytes()
    index.write_bytes(whole[:100])
    assert bench.run().reused
    (said,) = bench.progress.said
    assert str(index) in said
    assert said.endswith("; making it anew")
    assert read_index(index).digest == bench.feature_set().index_digest


@pytest.mark.parametrize("part", ["image", "text", "logits"])
def test_a_damaged_shard_is_said_aloud_and_alone_computed_again(bench: Any, part: str) -> None:
    """A changed byte is no hit, though the size is right; afterwards every byte is the old one."""
    bench.run()
    store = bench.stores()[part]
    shard = store.directory / store.manifest.shards[-1].file
    sound = shard.read_bytes()
    shard.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    done = bench.run()
    name, rows = {"image": ("features", 4), "text": ("text", 3), "logits": ("logits", 4)}[part]
    assert done.computed == {**NOTHING, name: rows}
    (said,) = bench.progress.said
    assert f"{shard} is damaged" in said
    assert shard.read_bytes() == sound
    assert bench.run().reused


@pytest.mark.parametrize("content", [lambda _: "{", lambda text: text.replace(": 12,", ": 24,")])
@pytest.mark.parametrize("part", ["image", "text", "logits"])
def test_a_store_whose_manifest_is_unusable_is_computed_anew_and_no_other(
    bench: Any, part: str, content: Any
) -> None:
    """One sentence says so; every shard comes back as it was, the other stores are reused."""
    bench.run()
    stores = {name: store.directory for name, store in bench.stores().items()}
    before = {p: p.read_bytes() for d in stores.values() for p in d.glob("part-*")}
    manifest = stores[part] / "manifest.json"
    text = manifest.read_text().replace('"rows": 3,', '"rows": 12,')
    manifest.write_text(content(text))
    done = bench.run()
    name, rows = {"image": ("features", 12), "text": ("text", 3), "logits": ("logits", 12)}[part]
    assert done.computed == {**NOTHING, name: rows}
    (said,) = bench.progress.said
    assert said.endswith("; computing it anew")
    assert {p: p.read_bytes() for d in stores.values() for p in d.glob("part-*")} == before
    assert bench.run().reused


def test_a_store_of_a_newer_version_is_refused_before_a_model_is_loaded(bench: Any) -> None:
    """It is left as it is; the message has a command that does without it."""
    bench.run()
    manifest = bench.stores()["image"].directory / "manifest.json"
    fields = {**json.loads(manifest.read_text()), "schema": "w2s-cache/feature-store/2"}
    manifest.write_text(json.dumps(fields))
    before = {p: p.read_bytes() for p in manifest.parent.iterdir()}
    with pytest.raises(NewerStoreError, match="`w2s-cache extract --cache-dir DIR`"):
        bench.run()
    assert bench.loaded == []
    assert {p: p.read_bytes() for p in manifest.parent.iterdir()} == before


def test_a_failed_extraction_leaves_the_earlier_one_as_it_was(bench: Any, listed: Any) -> None:
    """Changed images replace the index only together with their features, never before."""
    bench.run()
    path = bench.request.root / listed(bench.request.root)[5]
    content = path.read_bytes()
    path.write_bytes(b"no image")
    with pytest.raises(ImageError):
        bench.run()
    assert load_inputs(bench.request.home, bench.feature_set()).features.shape == (12, 6)
    path.write_bytes(content)
    assert bench.run().reused


def test_a_hit_on_earlier_images_brings_their_index_back(bench: Any, listed: Any) -> None:
    """Another pair may have moved the index on; the features asked for now get theirs again."""
    bench.run()
    path = bench.request.root / listed(bench.request.root)[5]
    content = path.read_bytes()
    Image.new("RGB", (40, 36)).save(path)
    bench.run(strong_name="twin")
    path.write_bytes(content)
    assert bench.run().reused
    assert load_inputs(bench.request.home, bench.feature_set()).features.shape == (12, 6)
