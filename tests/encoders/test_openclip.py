"""Laws of open_clip encoders: the very numbers open_clip computes, frozen and identified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from w2s_cache.encoders.openclip import OpenClipEncoder, load

TOWERS = ("tiny-vit", "tiny-resnet", "tiny-timm")


def encoder_of(tiny: Mapping[str, str], name: str, **changes: Any) -> OpenClipEncoder:
    """Load a tiny encoder through the public door."""
    means = {"checkpoint": tiny[name], "precision": "fp32", "device": "cpu", **changes}
    return load(name, **means)


def stacked(encoder: OpenClipEncoder, pictures: list[Image.Image]) -> torch.Tensor:
    """Preprocess and batch images."""
    return torch.stack([encoder.preprocess(picture) for picture in pictures])


@pytest.mark.parametrize("name", TOWERS)
def test_image_features_are_those_of_open_clip_by_hand(
    tiny: dict[str, str], pictures: list[Image.Image], name: str
) -> None:
    """Preprocessing and features are bit-equal to open_clip's own for all three kinds of tower."""
    network, _, transform = open_clip.create_model_and_transforms(name, pretrained=tiny[name])
    network.eval().requires_grad_(False)
    pixels = torch.stack([transform(picture) for picture in pictures])
    with torch.inference_mode():
        wanted = network.encode_image(pixels)
    encoder = encoder_of(tiny, name)
    assert torch.equal(stacked(encoder, pictures), pixels)
    found = encoder.encode_images(pixels)["features"]
    assert torch.equal(found, wanted)
    assert wanted.std(dim=0).max() > 0


@pytest.mark.parametrize("name", TOWERS)
def test_text_features_are_those_of_open_clip_by_hand(tiny: dict[str, str], name: str) -> None:
    """Tokens, text features and logit scale are bit-equal to open_clip's own."""
    texts = ["a photo of a cat", "a sketch of a very old dog"]
    network = open_clip.create_model(name, pretrained=tiny[name]).eval()
    network.requires_grad_(False)  # torch picks other kernels for weights that may still learn
    tokens = open_clip.get_tokenizer(name)(texts)
    with torch.inference_mode():
        wanted = network.encode_text(tokens)
    text = encoder_of(tiny, name).text
    assert torch.equal(text.tokenize(texts), tokens)
    assert torch.equal(text.encode_text(tokens), wanted)
    assert text.logit_scale == pytest.approx(float(network.logit_scale.exp()))
    assert text.logit_bias == 0.0


@pytest.mark.parametrize("name", ["tiny-vit", "tiny-timm"])
def test_preprojection_times_projection_is_the_feature(
    tiny: dict[str, str], pictures: list[Image.Image], name: str
) -> None:
    """What is returned as ``preprojection`` is what the tower's last linear map is applied to."""
    encoder = encoder_of(tiny, name)
    found = encoder.encode_images(stacked(encoder, pictures))
    visual = encoder.network.visual
    last = visual.proj if name == "tiny-vit" else visual.head.proj.weight.t()
    assert torch.allclose(found["preprojection"] @ last, found["features"], atol=1e-5)
    assert found["preprojection"].shape[1] != found["features"].shape[1]


@pytest.mark.parametrize("name", TOWERS)
def test_widths_are_those_of_the_tensors(
    tiny: dict[str, str], pictures: list[Image.Image], name: str
) -> None:
    """The declared names and widths are those of every batch, float32 on the CPU."""
    encoder = encoder_of(tiny, name)
    found = encoder.encode_images(stacked(encoder, pictures))
    assert {key: tensor.shape[1] for key, tensor in found.items()} == encoder.widths
    assert encoder.widths["features"] == 24
    assert ("preprojection" in found) == (name != "tiny-resnet")
    assert all(t.dtype == torch.float32 and len(t) == len(pictures) for t in found.values())


@pytest.mark.parametrize("name", TOWERS)
def test_an_encoder_has_no_state_between_calls(
    tiny: dict[str, str], pictures: list[Image.Image], name: str
) -> None:
    """The same batch gives the same bits again, without gradients and in eval mode."""
    encoder = encoder_of(tiny, name)
    pixels = stacked(encoder, pictures)
    first, second = encoder.encode_images(pixels), encoder.encode_images(pixels)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not any(module.training for module in encoder.network.modules())
    assert not any(weight.requires_grad for weight in encoder.network.parameters())


def test_bfloat16_is_close_and_is_another_identity(
    tiny: dict[str, str], pictures: list[Image.Image]
) -> None:
    """Reduced precision stays near float32, returns float32 and is part of both identities."""
    exact, rough = encoder_of(tiny, "tiny-vit"), encoder_of(tiny, "tiny-vit", precision="bf16")
    pixels = stacked(exact, pictures)
    one, other = exact.encode_images(pixels)["features"], rough.encode_images(pixels)["features"]
    assert other.dtype == torch.float32
    assert not torch.equal(one, other)
    assert torch.nn.functional.cosine_similarity(one, other).min() > 0.999
    assert exact.identity() == {**rough.identity(), "precision": "fp32"}
    assert exact.text.identity() == {**rough.text.identity(), "precision": "fp32"}
    assert rough.identity()["precision"] == "bf16"


def test_identity_is_made_of_json_values(tiny: dict[str, str]) -> None:
    """An identity survives JSON, so that it can be a key."""
    encoder = encoder_of(tiny, "tiny-vit")
    for identity in (encoder.identity(), encoder.text.identity()):
        assert json.loads(json.dumps(identity)) == json.loads(json.dumps(identity, default=str))


@pytest.mark.parametrize(
    ("weight", "towers"),
    [("visual.proj", {"image"}), ("text_projection", {"text"}), ("logit_scale", {"text"})],
)
def test_a_changed_weight_changes_the_identity_of_its_tower(
    tiny: dict[str, str], tmp_path: Path, weight: str, towers: set[str]
) -> None:
    """A fine-tuned image tower is not a fine-tuned text tower, and the reverse."""
    state = load_file(tiny["tiny-vit"])
    state[weight] = state[weight] + 1
    save_file(state, tmp_path / "other.safetensors")
    one = encoder_of(tiny, "tiny-vit")
    other = encoder_of(tiny, "tiny-vit", checkpoint=str(tmp_path / "other.safetensors"))
    changed = {"image": one.identity() != other.identity()}
    changed["text"] = one.text.identity() != other.text.identity()
    assert {tower for tower, differs in changed.items() if differs} == towers


def test_the_name_of_a_checkpoint_does_not_count(tiny: dict[str, str], tmp_path: Path) -> None:
    """The same numbers in another file and format have the same identity."""
    torch.save({"state_dict": load_file(tiny["tiny-vit"])}, tmp_path / "moved.pt")
    moved = encoder_of(tiny, "tiny-vit", checkpoint=str(tmp_path / "moved.pt"))
    assert moved.identity() == encoder_of(tiny, "tiny-vit").identity()


def test_a_local_folder_is_a_model(
    tiny: dict[str, str], tmp_path: Path, pictures: list[Image.Image]
) -> None:
    """``local-dir:`` reads architecture and weights from one folder, without a network."""
    config = {"model_cfg": open_clip.get_model_config("tiny-vit"), "preprocess_cfg": {}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    save_file(load_file(tiny["tiny-vit"]), tmp_path / "open_clip_model.safetensors")
    found = load(f"local-dir:{tmp_path}", checkpoint=None, precision="fp32", device="cpu")
    wanted = encoder_of(tiny, "tiny-vit")
    pixels = stacked(wanted, pictures)
    assert torch.equal(
        found.encode_images(pixels)["features"], wanted.encode_images(pixels)["features"]
    )
    assert torch.equal(found.text.tokenize(["a cat"]), wanted.text.tokenize(["a cat"]))


def test_quick_gelu_is_read_from_the_layers(tiny: dict[str, str]) -> None:
    """The activation is part of the identity: it changes features without changing weights."""
    plain = encoder_of(tiny, "tiny-vit")
    assert plain.identity()["quick_gelu"] is False
    quick = open_clip.create_model("tiny-vit", force_quick_gelu=True)
    assert any(isinstance(m, open_clip.transformer.QuickGELU) for m in quick.visual.modules())


def test_a_full_sized_clip_gives_its_own_bits(tmp_path: Path) -> None:
    """ViT-B-32 with random weights: image and text features equal calling open_clip by hand."""
    network, _, transform = open_clip.create_model_and_transforms("ViT-B-32")
    network.eval().requires_grad_(False)
    file = tmp_path / "vit.safetensors"
    save_file(network.state_dict(), file)
    encoder = load("ViT-B-32", checkpoint=str(file), precision="fp32", device="cpu")
    file.unlink()  # 600 MB
    picture = Image.effect_noise((300, 240), 60).convert("RGB")
    pixels = transform(picture)[None]
    tokens = encoder.text.tokenize(["a photo of a cat"])
    with torch.inference_mode():
        assert torch.equal(encoder.preprocess(picture)[None], pixels)
        found = encoder.encode_images(pixels)["features"]
        assert torch.equal(found, network.encode_image(pixels))
        assert torch.equal(encoder.text.encode_text(tokens), network.encode_text(tokens))
    assert encoder.widths == {"features": 512, "preprojection": 768}
