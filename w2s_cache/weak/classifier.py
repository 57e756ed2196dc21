"""A classifier whose logits are the weak supervision, whichever library built it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image

from w2s_cache.encoders.precision import compute_in


@dataclass(frozen=True, kw_only=True, slots=True)
class WeakStart:
    """A network before fine-tuning.

    Attributes:
        network: Pixels (batch, 3, h, w) → logits (batch, classes).
        transform: RGB image → (3, h, w) float32.
        preprocessing: What the transform does, as JSON values.
        facts: What else decides its numbers beside weights and preprocessing, as JSON values.
    """

    network: Any
    transform: Callable[[Image], torch.Tensor]
    preprocessing: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class WeakClassifier:
    """A network with one output per class; an image encoder whose tensor is ``logits``.

    Attributes:
        library: Who built the network.
        start: The network, fine-tuned in place, and its preprocessing.
        weights: Digest of its weights.
        classes: Their number.
        precision: Of its computation.
        device: A torch device string.
        directory: Where its weights are kept; None where they are not.
    """

    library: str
    start: WeakStart
    weights: str
    classes: int
    precision: str
    device: str
    directory: Path | None = None

    @property
    def network(self) -> Any:
        """The network, fine-tuned in place."""
        return self.start.network

    @property
    def widths(self) -> dict[str, int]:
        """``logits``: one number per class."""
        return {"logits": self.classes}

    def identity(self) -> dict[str, Any]:
        """Weights digest, preprocessing, precision, and what else the library says."""
        return {
            "library": self.library,
            "weights": self.weights,
            "preprocess": {"decoder": "pillow", **self.start.preprocessing},
            "precision": self.precision,
            **self.start.facts,
        }

    @property
    def preprocess(self) -> Callable[[Image], torch.Tensor]:
        """The network's evaluation transform: RGB image → (3, height, width) float32."""
        return self.start.transform

    @torch.inference_mode()
    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Pixels (batch, 3, h, w) → raw ``logits`` (batch, classes) float32."""
        with compute_in(self.precision, self.device):
            logits = self.network(pixels.to(self.device))
        return {"logits": logits.float().cpu()}
