"""The encoder contract: everything extraction asks of a model, open to other packages.

A package adds encoders with an entry point in the group ``w2s_cache.encoders`` that names a
:class:`EncoderLoader`; the entry point's name is the spec's ``library``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from PIL.Image import Image


class ImageEncoder(Protocol):
    """Turns images into vectors. Frozen, deterministic, without state between calls."""

    @property
    def widths(self) -> Mapping[str, int]:
        """Name → width of every tensor :meth:`encode_images` returns.

        Strong encoders return ``features`` (comparable with text features where there is a text
        tower) and, where the tower has one, ``preprojection``; classifiers return ``logits``.
        """
        ...

    def identity(self) -> Mapping[str, Any]:
        """All that changes the numbers, as JSON values: weights, preprocessing, precision."""
        ...

    def preprocess(self, image: Image) -> torch.Tensor:
        """RGB image of any size → float32 tensor (channels, height, width)."""
        ...

    def encode_images(self, pixels: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Pixels (batch, channels, h, w) → float32 tensors (batch, width), unnormalised."""
        ...


class TextEncoder(Protocol):
    """Turns prompts into vectors that live in the space of the image features."""

    @property
    def logit_scale(self) -> float:
        """The factor on cosine similarities in the model's own loss (CLIP: 100)."""
        ...

    @property
    def logit_bias(self) -> float:
        """The offset on scaled similarities (SigLIP's; 0 for CLIP)."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """All that changes the text features, as JSON values."""
        ...

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Prompts → int64 tensor (len(texts), context length)."""
        ...

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (n, context length) → float32 features (n, width), unnormalised."""
        ...


class StrongEncoder(ImageEncoder, Protocol):
    """An image encoder that may bring a text tower; ``text`` is None for image-only encoders."""

    @property
    def text(self) -> TextEncoder | None:
        """The text tower, or None: zero-shot and text initialisation then do not apply."""
        ...


class EncoderLoader(Protocol):
    """Builds a frozen encoder from what a spec says."""

    def __call__(
        self, model: str, *, checkpoint: str | None, precision: str, device: str
    ) -> StrongEncoder:
        """Loads ``model``; weights come from ``checkpoint`` (a local file or folder) when given.

        Raises:
            EncoderError: The model does not exist or its weights do not fit.
        """
        ...
