"""By which decoder an encoder sees images: its library's own transform, or the fast one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from PIL.Image import Image

from w2s_cache.encoders.fast_pixels import FastPixels, fast_facts
from w2s_cache.encoders.pixel_recipe import PixelRecipe
from w2s_cache.encoders.protocol import StrongEncoder, TextEncoder
from w2s_cache.errors import EncoderError


@runtime_checkable
class Reproducible(Protocol):
    """An encoder that says what its preprocessing does, so that another decoder can do it."""

    def pixel_recipe(self) -> PixelRecipe:
        """What :meth:`~w2s_cache.encoders.protocol.ImageEncoder.preprocess` does, as numbers.

        Raises:
            EncoderError: It does what a recipe cannot say.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class FastDecoded:
    """A strong encoder whose images come through the fast decoder; all else is the encoder's own.

    Attributes:
        encoder: The encoder.
        preprocess: RGB image → (3, height, width) float32.
    """

    encoder: StrongEncoder
    preprocess: Callable[[Image], torch.Tensor]

    @property
    def text(self) -> TextEncoder | None:
        """The encoder's text tower."""
        return self.encoder.text

    @property
    def widths(self) -> Mapping[str, int]:
        """The encoder's widths."""
        return self.encoder.widths

    def identity(self) -> dict[str, Any]:
        """The encoder's identity, with the decoder in ``preprocess``."""
        identity = dict(self.encoder.identity())
        return {**identity, "preprocess": fast_facts(identity.get("preprocess", {}))}

    def encode_images(self, pixels: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """The encoder's own."""
        return self.encoder.encode_images(pixels)


def with_decoder(encoder: StrongEncoder, decoder: str) -> StrongEncoder:
    """The encoder itself for ``"pillow"``; for ``"fast"`` one that sees images by `FastPixels`.

    Raises:
        EncoderError: The fast decoder cannot do what this encoder's preprocessing does.
    """
    if decoder == "pillow":
        return encoder
    if not isinstance(encoder, Reproducible):
        raise EncoderError(
            f"{type(encoder).__name__} cannot be used with decoder = 'fast'",
            expected="an encoder that says what its preprocessing does (pixel_recipe)",
            found="one that does not",
            fix="Set decoder = 'pillow' (or leave it out) for this model.",
        )
    return FastDecoded(encoder=encoder, preprocess=FastPixels(encoder.pixel_recipe()))
