"""Laws of model folders and hub names: one way in, no code, one sentence when it fails."""

from __future__ import annotations

import json
import pickle
import shutil
import socket
import sys
from pathlib import Path

import huggingface_hub
import pytest
import transformers

from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.encoders.hub import (
    configuration_digest,
    model_folder,
    read_network,
    read_part,
    transformers_library,
)
from w2s_cache.errors import EncoderError


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache and no network; returns the cache."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # read once
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return cache


def keep(folder: Path, cache: Path, repository: str, revision: str) -> None:
    """Lay a model folder into the hub's cache as a download would."""
    place = cache / f"models--{repository.replace('/', '--')}"
    shutil.copytree(folder, place / "snapshots" / ("0" * 40))
    (place / "refs" / revision).parent.mkdir(parents=True)
    (place / "refs" / revision).write_text("0" * 40)


@pytest.mark.parametrize(("written", "revision"), [("", "main"), ("@refs/pr/3", "refs/pr/3")])
def test_a_cached_name_needs_no_network(
    offline: Path, blip_folder: Path, written: str, revision: str
) -> None:
    """A hub name, with or without revision, is the same encoder as the folder behind it."""
    keep(blip_folder, offline, "org/tiny-blip", revision)
    means = {"precision": "fp32", "device": "cpu"}
    named = load_encoder("transformers", f"org/tiny-blip{written}", checkpoint=None, **means)
    local = load_encoder("transformers", "org/tiny-blip", checkpoint=str(blip_folder), **means)
    assert named.identity() == local.identity()


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["org/repo", "org/repo@main", "no such name", "a/b/c"])
def test_a_name_that_cannot_be_had_is_one_sentence(name: str) -> None:
    """Offline and not in the cache, or no name at all: an error that says what to do."""
    with pytest.raises(EncoderError, match="the network, or point `checkpoint`") as caught:
        model_folder(name, None)
    assert name in caught.value.what
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["absent", "file", "empty"])
def test_what_is_no_model_folder_is_said(tmp_path: Path, kind: str) -> None:
    """No folder, a file, or a folder without a configuration."""
    place = tmp_path / kind
    if kind == "file":
        place.write_bytes(b"weights")
    if kind == "empty":
        place.mkdir()
    with pytest.raises(EncoderError, match="no model folder at") as caught:
        model_folder("org/blip", str(place))
    assert caught.value.found == ("an empty folder" if kind == "empty" else "no folder")


def test_pickled_weights_are_no_weights(tmp_path: Path, cvt_folder: Path) -> None:
    """A folder whose weights are a pickle is refused, and the pickle has not been read."""
    mark = tmp_path / "ran"
    shutil.copytree(cvt_folder, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()

    class Touch:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (mark,)

    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(pickle.dumps(Touch()))
    with pytest.raises(EncoderError, match=r"pytorch_model\.bin") as caught:
        model_folder("microsoft/cvt-13", str(tmp_path / "pickled"))
    assert "microsoft/cvt-13@REVISION" in caught.value.fix
    assert not mark.exists()


def test_a_model_s_own_code_is_not_run(tmp_path: Path, cvt_folder: Path) -> None:
    """An architecture that comes as Python beside its weights is refused."""
    shutil.copytree(cvt_folder, tmp_path / "own")
    mark = tmp_path / "ran"
    (tmp_path / "own" / "own.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (tmp_path / "own" / "config.json").write_text(
        json.dumps({"model_type": "own", "auto_map": {"AutoConfig": "own.Own"}})
    )
    with pytest.raises(EncoderError, match="transformers cannot read"):
        read_part(transformers.AutoConfig, tmp_path / "own")
    assert not mark.exists()


@pytest.mark.parametrize("damage", ["empty", "text", "other"])
def test_broken_weights_are_one_sentence(tmp_path: Path, cvt_folder: Path, damage: str) -> None:
    """A file that is no safetensors, or of other shapes, is an error that names the folder."""
    shutil.copytree(cvt_folder, tmp_path / "broken")
    weights = tmp_path / "broken" / "model.safetensors"
    if damage == "other":
        config = json.loads((cvt_folder / "config.json").read_text())
        config["embed_dim"] = [8, 16, 48]
        (tmp_path / "broken" / "config.json").write_text(json.dumps(config))
    else:
        weights.write_bytes(b"" if damage == "empty" else b"hello world, no weights here")
    with pytest.raises(EncoderError, match="broken") as caught:
        read_network(transformers.AutoModelForImageClassification, tmp_path / "broken")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{"])
def test_a_configuration_that_is_none_is_one_sentence(tmp_path: Path, text: str) -> None:
    """What is no JSON object is refused by path."""
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EncoderError, match=r"config\.json"):
        configuration_digest(tmp_path)


def test_bookkeeping_is_not_configuration(tmp_path: Path) -> None:
    """Versions and label names do not count; activation, heads and norms do."""
    digests = []
    for said in ({}, {"transformers_version": "4.45.0", "id2label": {}}, {"hidden_act": "relu"}):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "cvt", **said}))
        digests.append(configuration_digest(tmp_path))
    assert digests[0] == digests[1] != digests[2]


def test_without_transformers_the_command_is_named(
    monkeypatch: pytest.MonkeyPatch, blip_folder: Path
) -> None:
    """A missing library is an error with the line that installs it."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(EncoderError, match=r"pip install 'transformers>=4\.45'"):
        load_encoder(
            "transformers", "b", checkpoint=str(blip_folder), precision="fp32", device="cpu"
        )


def test_reading_leaves_the_library_s_settings(cvt_folder: Path) -> None:
    """The bar is off only while a folder is read, and stays off where it was."""
    bars = transformers_library().utils.logging
    before = bars.is_progress_bar_enabled()
    for wanted in (bars.disable_progress_bar, bars.enable_progress_bar):
        wanted()
        setting = bars.is_progress_bar_enabled()
        read_network(transformers.AutoModelForImageClassification, cvt_folder)
        assert bars.is_progress_bar_enabled() == setting
    assert before
