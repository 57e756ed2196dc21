"""Laws of what open_clip encoders refuse, each in one sentence."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file

from w2s_cache.encoders import openclip
from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.errors import EncoderError, UnknownNameError


def load(model: str, checkpoint: str | Path | None = None, library: str = "open_clip") -> Any:
    """Load on the CPU in float32."""
    path = None if checkpoint is None else str(checkpoint)
    return load_encoder(library, model, checkpoint=path, precision="fp32", device="cpu")


class Touch:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("model", "nearest"),
    [("ViT-B-23,openai", "ViT-B-32"), ("vit-b-32,openai", "ViT-B-32"), ("RN51,openai", "RN50")],
)
def test_an_unknown_architecture_is_offered_the_nearest(model: str, nearest: str) -> None:
    """A misspelt architecture, also one in small letters, is refused with its neighbour."""
    with pytest.raises(UnknownNameError, match=f"Did you mean .*'{nearest}'"):
        load(model)


def test_an_unknown_tag_is_offered_the_nearest() -> None:
    """A misspelt tag is refused with those of its architecture alone."""
    with pytest.raises(UnknownNameError, match="Did you mean 'openai'") as caught:
        load("ViT-L-14-quickgelu,opnai")
    assert caught.value.known == ["dfn2b", "metaclip_400m", "metaclip_fullcc", "openai"]


@pytest.mark.parametrize("model", ["pocket-clip,laion", "pocket-clip:openai"])
def test_a_model_that_ships_here_has_no_tags(model: str) -> None:
    """An invented tag would make a second model of the same weights in the cache."""
    with pytest.raises(UnknownNameError, match="pocket-clip") as caught:
        load(model)
    assert caught.value.found == repr(model)


def test_an_architecture_alone_has_no_weights(tiny: dict[str, str]) -> None:
    """Random weights are never used in silence."""
    with pytest.raises(EncoderError, match="no weights named for tiny-vit"):
        load("tiny-vit")
    assert load("tiny-vit", tiny["tiny-vit"]).architecture == "tiny-vit"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("ViT-B-32,openai", "ViT-B-32-quickgelu,openai"),
        ("ViT-B-32-quickgelu,laion2b_s34b_b79k", None),
        ("ViT-H-14,dfn5b", "ViT-H-14-quickgelu,dfn5b"),
    ],
)
def test_a_quick_gelu_mismatch_names_the_right_model(wrong: str, right: str | None) -> None:
    """A tag under an architecture with the other activation is refused with the name to use."""
    with pytest.raises((EncoderError, UnknownNameError)) as caught:
        load(wrong)
    assert right is None or f"Use '{right}'." in str(caught.value)
    assert not isinstance(caught.value.__cause__, OSError)  # refused before any download


def test_every_published_model_is_accepted_or_corrected() -> None:
    """Among all models of open_clip, advice leads to one that is accepted, and some advice does."""
    corrected = 0
    for architecture in open_clip.list_models():
        for tag in open_clip.list_pretrained_tags_by_model(architecture):
            try:
                openclip._refuse_activation_mismatch(architecture, tag)
            except EncoderError as error:
                corrected += 1
                right, _, same = error.fix.split("'")[1].partition(",")
                assert same in open_clip.list_pretrained_tags_by_model(right)
                openclip._refuse_activation_mismatch(right, same)
    assert corrected > 20


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty.pt": lambda path: path.write_bytes(b""),
    "empty.safetensors": lambda path: path.write_bytes(b""),
    "text.pt": lambda path: path.write_text("hello world, no weights here"),
    "text.safetensors": lambda path: path.write_text("hello world, no weights here"),
    "nothing.pt": lambda path: torch.save({}, path),
    "list.pt": lambda path: torch.save([1, 2], path),
    "number.pt": lambda path: torch.save({"state_dict": 3}, path),
    "other.pt": lambda path: torch.save({"a": torch.zeros(2)}, path),
    "other.safetensors": lambda path: save_file({"a": torch.zeros(2)}, path),
}


@pytest.mark.parametrize("file", BROKEN)
@pytest.mark.parametrize(("library", "model"), [("open_clip", "tiny-vit"), ("timm", "test_vit")])
def test_a_checkpoint_that_is_none_is_one_sentence(
    tiny: dict[str, str], tmp_path: Path, file: str, library: str, model: str
) -> None:
    """Whatever lies in a weights file, it fits or it is an EncoderError that names the file."""
    assert model not in tiny or Path(tiny[model]).is_file()
    BROKEN[file](tmp_path / file)
    with pytest.raises(EncoderError) as caught:
        load(model, tmp_path / file, library)
    assert file in caught.value.what
    assert "\n" not in str(caught.value)
    assert len(caught.value.found) < 300


def test_a_checkpoint_of_other_shapes_does_not_load_in_part(
    tiny: dict[str, str], tmp_path: Path
) -> None:
    """One missing or one misshapen weight is enough to refuse a checkpoint."""
    whole = load_file(tiny["tiny-vit"])
    for name, state in {
        "less": {key: value for key, value in whole.items() if key != "visual.proj"},
        "shape": {**whole, "visual.proj": torch.zeros(3, 3)},
    }.items():
        save_file(state, tmp_path / f"{name}.safetensors")
        with pytest.raises(EncoderError, match=r"visual\.proj"):
            load("tiny-vit", tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("library", "model"), [("open_clip", "tiny-vit"), ("timm", "test_vit")])
def test_a_pickle_with_code_runs_nothing(
    tiny: dict[str, str], tmp_path: Path, zipped: bool, library: str, model: str
) -> None:
    """A checkpoint that would run code is refused, and the code has not run."""
    assert model not in tiny or Path(tiny[model]).is_file()
    trap, mark = tmp_path / "trap.pt", tmp_path / "ran"
    content = {"state_dict": Touch(mark)}
    if zipped:
        torch.save(content, trap)
    else:
        trap.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(EncoderError, match=r"trap\.pt"):
        load(model, trap, library)
    assert not mark.exists()
    with trap.open("rb") as file:  # the trap is one: an ordinary reader springs it
        _ = torch.load(file, weights_only=False) if zipped else pickle.load(file)  # noqa: S301
    assert mark.exists()


@pytest.mark.parametrize(
    ("library", "model"),
    [
        ("open_clip", "ViT-B-32,laion2b_s34b_b79k"),
        ("open_clip", "hf-hub:org/repo"),
        ("timm", "test_vit.r160_in1k"),
    ],
)
def test_without_a_network_a_tag_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, model: str
) -> None:
    """Offline, weights that are not on this machine are an EncoderError at once."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # read once
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(
        EncoderError, match="the network, or give local weights by --strong-checkpoint"
    ) as caught:
        load(model, library=library)
    assert model.partition(",")[0] in caught.value.what
    assert "None" not in caught.value.what
    assert "\n" not in str(caught.value)
    assert ("`--strong pocket-clip` works" in caught.value.fix) == (library == "open_clip")
