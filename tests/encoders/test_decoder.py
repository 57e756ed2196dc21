"""The decoder is chosen by name and is part of what an encoder is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.encoders.decoder import with_decoder
from w2s_cache.encoders.fast_pixels import FastPixels
from w2s_cache.errors import EncoderError


def loaded(tiny: dict[str, str], decoder: str) -> Any:
    """A tiny CLIP by the public door."""
    where = {"checkpoint": tiny["tiny-vit"], "precision": "fp32", "device": "cpu"}
    return load_encoder("open_clip", "tiny-vit", **where, decoder=decoder)


def test_pillow_is_the_encoder_itself(tiny: dict[str, str]) -> None:
    """Nothing is wrapped: transform and identity are the ones without a choice of decoder."""
    encoder = loaded(tiny, "pillow")
    assert with_decoder(encoder, "pillow") is encoder
    assert encoder.identity()["preprocess"]["decoder"] == "pillow"


def test_the_decoder_is_in_the_identity_and_nothing_else_changes(tiny: dict[str, str]) -> None:
    """Features of the two decoders never share a store; text features do."""
    own, fast = loaded(tiny, "pillow"), loaded(tiny, "fast")
    one, other = own.identity(), fast.identity()
    assert other["preprocess"]["decoder"] == "fast"
    assert {**one, "preprocess": None} == {**other, "preprocess": None}
    assert fast.text.identity() == own.text.identity()
    assert fast.widths == own.widths


def test_features_come_from_the_same_network(
    tiny: dict[str, str], pictures: list[Image.Image]
) -> None:
    """The same pixels give the same bits; the pixels are those of the recipe."""
    own, fast = loaded(tiny, "pillow"), loaded(tiny, "fast")
    pixels = torch.stack([fast.preprocess(picture) for picture in pictures])
    assert torch.equal(pixels[0], FastPixels(own.pixel_recipe())(pictures[0]))
    found, wanted = fast.encode_images(pixels), own.encode_images(pixels)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_an_image_is_decoded_to_half_as_much_again_as_is_needed(tiny: dict[str, str]) -> None:
    """32 pixels are needed, so 48 are left of a JPEG's shorter side."""
    assert loaded(tiny, "fast").preprocess.at_least == 48


def test_an_encoder_that_does_not_say_what_it_does_is_refused() -> None:
    """Encoders of other packages need no recipe; with the fast decoder the lack is an error."""

    class Histogram:
        text = None

    with pytest.raises(EncoderError, match="Histogram cannot be used with decoder = 'fast'"):
        with_decoder(Histogram(), "fast")
    encoder = Histogram()
    assert with_decoder(encoder, "pillow") is encoder


def test_timm_encoders_have_a_fast_decoder_too(tmp_path: Path) -> None:
    """By the same name, with timm's own size and crop."""
    import timm

    network = timm.create_model("test_vit")
    torch.save(network.state_dict(), tmp_path / "w.pth")
    where = {"checkpoint": str(tmp_path / "w.pth"), "precision": "fp32", "device": "cpu"}
    encoder = load_encoder("timm", "test_vit", **where, decoder="fast")
    picture = Image.effect_noise((400, 300), 60).convert("RGB")
    assert encoder.preprocess(picture).shape == network.default_cfg["input_size"]


def test_blip_has_a_fast_decoder_too(blip_folder: Path) -> None:
    """The checkpoint's own size and filter."""
    where = {"checkpoint": str(blip_folder), "precision": "fp32", "device": "cpu"}
    encoder = load_encoder("transformers", "some/blip", **where, decoder="fast")
    picture = Image.effect_noise((90, 70), 60).convert("RGB")
    assert encoder.preprocess(picture).shape == (3, 32, 32)
    assert encoder.identity()["preprocess"]["decoder"] == "fast"
