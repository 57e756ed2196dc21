"""Laws of misses: what changes numbers is computed anew; field, old and new value are said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from w2s_cache.errors import WeakLogitsError

NOTHING = {"features": 0, "text": 0, "logits": 0}


def said(bench: Any) -> str:
    """The one thing that extraction said."""
    (line,) = bench.progress.said
    return line


def test_another_image_names_it_with_both_digests(bench: Any, listed: Any) -> None:
    """Contents count, and of twelve images the one that changed is named."""
    bench.run()
    path = listed(bench.request.root)[5]
    before = bench.stores()["image"].manifest.key["images"]
    Image.new("RGB", (40, 36)).save(bench.request.root / path)
    bench.run()
    assert f"images.{path}.sha256" in said(bench)
    assert said(bench).endswith("; computing what changed")
    assert said(bench).count(".sha256 = ") == 2
    assert bench.stores()["image"].manifest.key["images"] != before


def test_a_new_image_and_one_that_is_gone_are_named(bench: Any, listed: Any) -> None:
    """A renamed image is one that is absent and another that is new."""
    bench.run()
    path = bench.request.root / listed(bench.request.root)[0]
    path.rename(path.with_name("renamed.png"))
    with pytest.raises(WeakLogitsError, match="renamed"):  # it is said before logits are read
        bench.run()
    folder = path.parent.relative_to(bench.request.root).as_posix()
    for name in (path.name, "renamed.png"):
        assert f"images.{folder}/{name} = (absent)" in said(bench)


def test_another_order_of_classes_names_both(bench: Any) -> None:
    """Class names in order are part of the request and of the keys of text and logits."""
    bench.run(**bench.with_spec(data={"classes": ("blue", "green", "red")}))
    changes = bench.with_spec(data={"classes": ("red", "green", "blue")})
    assert bench.run(**changes).computed == {**NOTHING, "text": 3, "logits": 12}
    assert 'classes[0] = "blue"' in said(bench).partition("asked for")[0]
    assert 'classes[0] = "red"' in said(bench).partition("asked for")[2]


def test_folders_of_other_classes_name_them(bench: Any) -> None:
    """Without classes in the spec those of the folders are compared."""
    bench.run()
    folder = bench.request.root / "d"
    (folder / "red").rename(folder / "amber")
    with pytest.raises(WeakLogitsError):  # it is said before logits are read
        bench.run()
    assert 'classes[2] = "red"' in said(bench).partition("asked for")[0]


@pytest.mark.parametrize(
    ("change", "field", "old", "new"),
    [
        ({"store": {"dtype": "float16"}}, "store.dtype", '"float32"', '"float16"'),
        ({"data": {"split_seed": 5}}, "data.split_seed", "0", "5"),
        ({"strong": {"precision": "bf16"}}, "strong.precision", '"fp32"', '"bf16"'),
        ({"strong": {"templates": ("{}!",)}}, "strong.templates[0]", '"plain"', '"{}!"'),
    ],
)
def test_an_edited_spec_names_field_old_and_new(bench: Any, change, field, old, new) -> None:
    """What was cached and what is asked for stand side by side."""
    bench.run()
    bench.run(**bench.with_spec(**change))
    cached, _, asked = said(bench).partition("asked for")
    assert f"{field} = {old}" in cached
    assert f"{field} = {new}" in asked


def test_a_recheck_names_weights_that_changed_under_their_name(bench: Any) -> None:
    """The keys of both stores are compared field by field."""
    bench.run()
    bench.encoder.weights = "w1"
    bench.run(recheck=True)
    image, text = bench.progress.said
    assert image.startswith("d: image features of another key: cached encoder.weights")
    assert text.startswith("d: text features of another key")
    for line in (image, text):
        cached, _, asked = line.partition("asked for")
        assert 'encoder.weights = "w0"' in cached
        assert 'encoder.weights = "w1"' in asked


def test_the_index_of_another_pair_is_no_witness(bench: Any, listed: Any) -> None:
    """Where the index of the features is gone the digests are said."""
    bench.run()
    Image.new("RGB", (40, 36)).save(bench.request.root / listed(bench.request.root)[5])
    bench.run(strong_name="twin")
    bench.run()
    assert said(bench).count("index digest = ") == 2


def test_a_moved_cache_and_moved_images_are_a_hit(bench: Any, tmp_path: Path) -> None:
    """Neither place is in a key; batch size, workers and device are not either."""
    bench.run()
    bench.request.home.rename(tmp_path / "other home")
    bench.request.root.rename(tmp_path / "other images")
    done = bench.run(
        home=tmp_path / "other home",
        root=tmp_path / "other images",
        batch_size=5,
        workers=1,
        device="auto",
    )
    assert done.reused
    assert (bench.loaded, bench.progress.said) == ([], [])


def test_another_size_of_shards_is_a_hit(bench: Any) -> None:
    """A complete store keeps its own shards, whatever the spec says now."""
    bench.run()
    assert bench.run(**bench.with_spec(store={"shard_rows": 7})).reused
