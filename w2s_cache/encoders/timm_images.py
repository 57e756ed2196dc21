"""Image-only strong encoders from timm: pooled features of any classification backbone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import timm
import torch
from PIL.Image import Image

from w2s_cache.encoders.pixel_recipe import PixelRecipe, timm_recipe
from w2s_cache.encoders.precision import compute_in
from w2s_cache.encoders.refusal import UNUSABLE, reason
from w2s_cache.encoders.weights import weights_digest
from w2s_cache.errors import EncoderError, UnknownNameError


def load(model: str, *, checkpoint: str | None, precision: str, device: str) -> TimmEncoder:
    """Builds a frozen timm backbone without its classifier.

    Args:
        model: A timm model name, with or without tag (``resnet50.a1_in1k``).
        checkpoint: A local weights file; without it the tag's pretrained weights are loaded.
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
        device: A torch device string.

    Raises:
        UnknownNameError: timm has no such model.
        EncoderError: The weights cannot be had or do not fit.
    """
    network = create_timm(model, pretrained=checkpoint is None, checkpoint=checkpoint)
    network.reset_classifier(0)
    network.eval().requires_grad_(False).to(device)
    config = timm.data.resolve_model_data_config(network)
    return TimmEncoder(
        model=model,
        network=network,
        weights=weights_digest(network.state_dict()),
        transform=timm.data.create_transform(**config, is_training=False),
        preprocessing={name: _json(value) for name, value in config.items()},
        precision=precision,
        device=device,
    )


def create_timm(model: str, *, pretrained: bool, checkpoint: str | None, **arguments: Any) -> Any:
    """Creates a timm network, from a tag's weights, a local checkpoint or random numbers.

    Raises:
        UnknownNameError: timm has no such model.
        EncoderError: The weights cannot be had or do not fit.
    """
    refuse_unknown(model)
    try:
        network = timm.create_model(
            model, pretrained=pretrained and checkpoint is None, **arguments
        )
        if checkpoint is not None:  # not by `checkpoint_path`: old versions of timm run pickles
            timm.models.load_checkpoint(network, checkpoint, weights_only=True)
    except UNUSABLE as error:
        raise EncoderError(
            f"cannot load timm model {model}{f' from {checkpoint}' if checkpoint else ''}",
            expected="weights that exist and fit the network",
            found=reason(error),
            fix="Check the name, the file and the network, or give local weights by "
            "--strong-checkpoint or --weak-checkpoint (`checkpoint` in the spec); weak predictions "
            "may come by --weak-logits instead.",
        ) from error
    return network


def refuse_unknown(model: str) -> None:
    """Checks that timm has a model, and where it is written with a tag, that tag of it.

    Raises:
        UnknownNameError: timm has no such model or tag.
    """
    architecture, _, tag = model.partition(".")
    if architecture not in timm.list_models():
        raise UnknownNameError("timm model", model, timm.list_models())
    tagged = timm.list_models(f"{architecture}.*", include_tags=True)
    if tag and model not in tagged:
        raise UnknownNameError("timm model", model, tagged)


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, kw_only=True)
class TimmEncoder:
    """A timm backbone as an image-only strong encoder: float32 parameters, frozen, eval mode."""

    model: str
    network: Any
    weights: str
    transform: Callable[[Image], torch.Tensor]
    preprocessing: dict[str, Any]
    precision: str
    device: str

    @property
    def text(self) -> None:
        """No text tower: zero-shot and text initialisation do not apply."""
        return None

    @cached_property
    def widths(self) -> dict[str, int]:
        """Width of ``features``, the pooled vector before the classifier.

        Measured, for in networks with a hidden layer in the head it is not ``num_features``.
        """
        blank = torch.zeros(1, *self.preprocessing["input_size"])
        return {"features": self.encode_images(blank)["features"].shape[1]}

    def identity(self) -> dict[str, Any]:
        """Library, model, weights digest, preprocessing, precision."""
        return {
            "library": "timm",
            "architecture": self.model,
            "weights": self.weights,
            "preprocess": {**self.preprocessing, "decoder": "pillow"},
            "precision": self.precision,
        }

    def preprocess(self, image: Image) -> torch.Tensor:
        """Timm's own evaluation transform of this model: (3, height, width) float32."""
        return self.transform(image)

    def pixel_recipe(self) -> PixelRecipe:
        """What that transform does, for other decoders."""
        return timm_recipe(self.preprocessing)

    @torch.inference_mode()
    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Pixels (batch, 3, h, w) → pooled ``features`` (batch, width) float32, unnormalised."""
        with compute_in(self.precision, self.device):
            features = self.network(pixels.to(self.device))
        return {"features": features.float().cpu()}
