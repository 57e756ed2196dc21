"""A timm classifier whose logits are the weak supervision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import timm
import torch
from PIL.Image import Image

from w2s_cache.encoders.precision import compute_in
from w2s_cache.encoders.timm_images import create_timm, refuse_unknown
from w2s_cache.spec import WeakSpec


@dataclass(frozen=True, kw_only=True)
class WeakClassifier:
    """A timm network with one output per class; an image encoder whose tensor is ``logits``."""

    network: Any
    transform: Callable[[Image], torch.Tensor]
    preprocessing: dict[str, Any]
    weights: str
    classes: int
    precision: str
    device: str

    @property
    def widths(self) -> dict[str, int]:
        """``logits``: one number per class."""
        return {"logits": self.classes}

    def identity(self) -> dict[str, Any]:
        """Weights digest, preprocessing, precision."""
        return {
            "library": "timm",
            "weights": self.weights,
            "preprocess": {**self.preprocessing, "decoder": "pillow"},
            "precision": self.precision,
        }

    def preprocess(self, image: Image) -> torch.Tensor:
        """Timm's evaluation transform of this network: (3, height, width) float32."""
        return self.transform(image)

    @torch.inference_mode()
    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Pixels (batch, 3, h, w) → raw ``logits`` (batch, classes) float32."""
        with compute_in(self.precision, self.device):
            logits = self.network(pixels.to(self.device))
        return {"logits": logits.float().cpu()}


def build_network(weak: WeakSpec, classes: int, *, generator_seed: int) -> Any:
    """The network before fine-tuning: pretrained or random backbone, fresh classifier.

    Random numbers come from ``generator_seed`` without touching torch's global generator.

    Raises:
        UnknownNameError: timm has no such model.
        EncoderError: The weights cannot be had or do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator_seed)
        arguments = {"img_size": weak.image_size} if _needs_size(weak) else {}
        network = create_timm(
            weak.model, pretrained=weak.pretrained, checkpoint=weak.checkpoint, **arguments
        )
        network.reset_classifier(classes)
    return network


def _needs_size(weak: WeakSpec) -> bool:
    """Transformers fix their input size when they are built; convolutions take any."""
    if weak.image_size is None:
        return False
    refuse_unknown(weak.model)
    config = timm.get_pretrained_cfg(weak.model)
    return config is not None and bool(config.fixed_input_size)


def preprocessing(weak: WeakSpec, network: Any) -> dict[str, Any]:
    """Timm's data configuration of the network, at the spec's image size, as JSON values.

    A smaller image than the network was made for is resized whole: no border is cropped away.
    """
    config = timm.data.resolve_model_data_config(network)
    if weak.image_size is not None:
        size = weak.image_size
        config |= {"input_size": (3, size, size), "crop_pct": 1.0}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in config.items()}


def evaluation_transform(config: dict[str, Any]) -> Callable[[Image], torch.Tensor]:
    """Timm's deterministic transform for a data configuration."""
    made: Callable[[Image], torch.Tensor] = timm.data.create_transform(**config, is_training=False)
    return made
