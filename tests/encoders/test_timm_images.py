"""Laws of timm backbones as image-only strong encoders."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from PIL import Image

from w2s_cache.encoders.timm_images import TimmEncoder, create_timm, load
from w2s_cache.errors import EncoderError, UnknownNameError


def saved(model: str, folder: Path, seed: int = 3) -> str:
    """Save a random network as a weights-only torch file."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.save(timm.create_model(model).state_dict(), folder / f"{model}.pth")
    return str(folder / f"{model}.pth")


def encoder_of(model: str, checkpoint: str, precision: str = "fp32") -> TimmEncoder:
    """Load on the CPU."""
    return load(model, checkpoint=checkpoint, precision=precision, device="cpu")


@pytest.mark.parametrize("model", ["test_resnet", "test_vit"])
def test_features_are_the_pooled_vector_before_the_classifier(
    tmp_path: Path, pictures: list[Image.Image], model: str
) -> None:
    """Features are bit-equal to timm's own pre-logits under timm's own preprocessing."""
    checkpoint = saved(model, tmp_path)
    network = timm.create_model(model, checkpoint_path=checkpoint).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
    pixels = torch.stack([transform(picture) for picture in pictures])
    with torch.inference_mode():
        wanted = network.forward_head(network.forward_features(pixels), pre_logits=True)
    encoder = encoder_of(model, checkpoint)
    assert torch.equal(torch.stack([encoder.preprocess(p) for p in pictures]), pixels)
    assert torch.equal(encoder.encode_images(pixels)["features"], wanted)


@pytest.mark.parametrize(
    "model", ["test_efficientnet", "test_mambaout", "test_convnext", "mobilenetv3_small_050"]
)
def test_the_width_is_that_of_the_features(tmp_path: Path, model: str) -> None:
    """The declared width holds for every head, also for those with a hidden layer."""
    encoder = encoder_of(model, saved(model, tmp_path))
    blank = torch.zeros(2, *encoder.preprocessing["input_size"])
    assert encoder.encode_images(blank)["features"].shape == (2, encoder.widths["features"])


def test_an_image_only_encoder_has_no_text(tmp_path: Path) -> None:
    """There is no text tower, and nothing pretends to be one."""
    assert encoder_of("test_resnet", saved("test_resnet", tmp_path)).text is None


def test_identity_follows_weights_and_precision(tmp_path: Path) -> None:
    """Other weights or precision are other features; the file's name is not asked."""
    one = encoder_of("test_resnet", saved("test_resnet", tmp_path))
    (tmp_path / "b").mkdir()
    moved = encoder_of("test_resnet", saved("test_resnet", tmp_path / "b"))
    other = encoder_of("test_resnet", saved("test_resnet", tmp_path / "b", seed=4))
    rough = encoder_of("test_resnet", saved("test_resnet", tmp_path), "bf16")
    assert one.identity() == moved.identity() == {**rough.identity(), "precision": "fp32"}
    assert one.identity()["weights"] != other.identity()["weights"]
    assert rough.identity()["precision"] == "bf16"


@pytest.mark.parametrize(
    ("model", "nearest"), [("test_resnt", "test_resnet"), ("test_vit.r160_in2k", "r160_in1k")]
)
def test_unknown_models_and_tags_are_offered_the_nearest(model: str, nearest: str) -> None:
    """A misspelt name or tag is refused with its neighbours."""
    with pytest.raises(UnknownNameError, match=f"Did you mean .*{nearest}"):
        create_timm(model, pretrained=False, checkpoint=None)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    """Weights that do not fit are an error, never loaded in part."""
    with pytest.raises(EncoderError, match="cannot load timm model test_vit from"):
        encoder_of("test_vit", saved("test_resnet", tmp_path))


def test_a_model_without_published_weights_is_refused() -> None:
    """Where timm has no weights, random ones do not stand in for them."""
    with pytest.raises(EncoderError, match="cannot load timm model test_mambaout"):
        load("test_mambaout", checkpoint=None, precision="fp32", device="cpu")
