"""Laws of the text store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from w2s_cache.errors import StoreError
from w2s_cache.extract import text as module
from w2s_cache.extract.progress import Silent
from w2s_cache.extract.text import fill_text_store, text_key
from w2s_cache.store.reader import open_store

CLASSES = [f"class_{number}" for number in range(7)]


def test_prompts_are_encoded_in_bounded_batches(
    bench: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """However many prompts there are, the tower sees a fixed number at once, in order."""
    tower = bench.encoder.text
    key = text_key(tower, CLASSES, ["a {}", "the {}"], "float32")
    monkeypatch.setattr(module, "_PROMPTS_AT_ONCE", 4)
    assert fill_text_store(tmp_path / "s", text=tower, key=key, progress=Silent()) == 7
    assert max(tower.encoded) == 4
    prompts = [f"{word} {name.replace('_', ' ')}" for name in CLASSES for word in ("a", "the")]
    wanted = tower.encode_text(tower.tokenize(prompts)).numpy().reshape(7, 2, -1)
    assert np.array_equal(open_store(tmp_path / "s").read("features"), wanted)


def test_stored_prompts_are_not_encoded_again(bench: Any, tmp_path: Path) -> None:
    """A second call asks the tower for one prompt, to learn its width, and writes nothing."""
    tower = bench.encoder.text
    key = text_key(tower, CLASSES, ["a {}"], "float32")
    fill_text_store(tmp_path, text=tower, key=key, progress=Silent())
    tower.encoded.clear()
    assert fill_text_store(tmp_path, text=tower, key=key, progress=Silent()) == 0
    assert tower.encoded == [1]


def test_texts_beyond_the_storage_type_are_refused_before_an_image_is_stored(
    bench: Any, monkeypatch: Any
) -> None:
    """Texts are few and images many: what cannot be stored of the former ends nothing late."""
    tower = type(bench.encoder.text)
    monkeypatch.setattr(tower, "encode_text", lambda _, tokens: torch.full((len(tokens), 3), 1e6))
    with pytest.raises(StoreError, match="magnitudes up to 65504, the range of float16"):
        bench.run(**bench.with_spec(store={"dtype": "float16"}))
    assert not list(bench.request.home.glob("v1/*/*/image/*/part-*"))


def test_everything_that_changes_text_features_is_in_the_key(bench: Any) -> None:
    """Tower, scale, bias, classes in order, templates in order and storage each change the key."""
    tower = bench.encoder.text
    scaled, biased = replace(tower, logit_scale=51.0), replace(tower, logit_bias=-1.0)
    key = text_key(tower, CLASSES, ["a {}", "{}"], "float32")
    bench.encoder.weights = "w1"
    others = [
        text_key(bench.encoder.text, CLASSES, ["a {}", "{}"], "float32"),
        text_key(scaled, CLASSES, ["a {}", "{}"], "float32"),
        text_key(biased, CLASSES, ["a {}", "{}"], "float32"),
        text_key(tower, CLASSES[::-1], ["a {}", "{}"], "float32"),
        text_key(tower, CLASSES, ["{}", "a {}"], "float32"),
        text_key(tower, CLASSES, ["a {}", "{}"], "float16"),
    ]
    assert all(other != key for other in others)
