"""BLIP (Li et al., 2022) as strong encoder, through transformers' ``BlipForImageTextRetrieval``.

Of BLIP's two ways to compare an image with a text this is the contrastive one (ITC), whose two
sides can be computed apart: features are ``vision_proj`` of the vision tower's class token (after
the tower's last norm, once) and ``text_proj`` of the text tower's class token, 256 numbers each in
the published models, not normalised. The matching head (ITM) sees both at once and is not used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image

from w2s_cache.encoders.hub import (
    configuration,
    configuration_digest,
    model_folder,
    read_network,
    read_part,
    refuse_missing,
    tokenizer_digest,
    transformers_library,
)
from w2s_cache.encoders.hub_images import HubPreprocessing, read_preprocessing
from w2s_cache.encoders.pixel_recipe import PixelRecipe, hub_recipe
from w2s_cache.encoders.precision import compute_in
from w2s_cache.encoders.weights import weights_digest
from w2s_cache.errors import EncoderError

_ARCHITECTURE = "BlipForImageTextRetrieval"
CROSS = ".crossattention."  # layers of the text tower that only the matching head uses
_CONTEXT = 35  # tokens; BLIP's retrieval code pads and cuts texts to this length


def load(model: str, *, checkpoint: str | None, precision: str, device: str) -> BlipEncoder:
    """Builds a frozen BLIP retrieval model.

    Args:
        model: A hub name, such as ``Salesforce/blip-itm-base-coco``, perhaps with ``@REVISION``.
        checkpoint: A local folder that takes the hub's place.
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
        device: A torch device string.

    Raises:
        EncoderError: transformers is missing, the model cannot be had, is no BLIP retrieval model,
            or its weights do not fit.
    """
    library = transformers_library()
    folder = model_folder(model, checkpoint)
    _refuse_other_models(model, configuration(folder))
    network, missing = read_network(library.BlipForImageTextRetrieval, folder)
    refuse_missing(folder, missing)
    network.eval().requires_grad_(False).to(device)
    preprocessing = read_preprocessing(folder)
    _refuse_other_size(folder, preprocessing, network.config.vision_config.image_size)
    return BlipEncoder(
        model=model.partition("@")[0],
        network=network,
        configuration=configuration_digest(folder),
        image_weights=_digest(network.vision_model, network.vision_proj),
        text_weights=_digest(network.text_encoder, network.text_proj),
        preprocessing=preprocessing,
        tokenizer=read_part(library.AutoTokenizer, folder),
        tokenizer_files=tokenizer_digest(folder),
        precision=precision,
        device=device,
    )


def _refuse_other_models(model: str, said: dict[str, Any]) -> None:
    kinds = said.get("architectures") or [f"a model of type {said.get('model_type')}"]
    if _ARCHITECTURE not in kinds:
        raise EncoderError(
            f"{model} is no strong encoder",
            expected=f"{_ARCHITECTURE}, the one kind with library = 'transformers'",
            found=", ".join(map(str, kinds)),
            fix="Classifiers go under [weak.NAME]; CLIP models take library = 'open_clip', "
            "image-only ones 'timm'.",
        )


def _refuse_other_size(folder: Path, preprocessing: HubPreprocessing, side: int) -> None:
    if preprocessing.size != (side, side):
        raise EncoderError(
            f"image processor and network in {folder} disagree",
            expected=f"images of {side}×{side} pixels",
            found="{}×{}".format(*preprocessing.size),
            fix="Correct preprocessor_config.json.",
        )


def _digest(tower: torch.nn.Module, projection: torch.nn.Module) -> str:
    both = torch.nn.ModuleDict({"tower": tower, "projection": projection}).state_dict()
    used = {name: value for name, value in both.items() if CROSS not in name}
    return weights_digest(used)


@dataclass(frozen=True, kw_only=True)
class BlipEncoder:
    """A BLIP retrieval model as a strong encoder: float32 parameters, frozen, in eval mode."""

    model: str
    network: Any
    configuration: str
    image_weights: str
    text_weights: str
    preprocessing: HubPreprocessing
    tokenizer: Any
    tokenizer_files: str
    precision: str
    device: str

    @property
    def text(self) -> BlipText:
        """The text tower."""
        return BlipText(encoder=self)

    @property
    def widths(self) -> dict[str, int]:
        """Widths of ``features`` and ``preprojection``."""
        projection = self.network.vision_proj
        return {"features": projection.out_features, "preprojection": projection.in_features}

    def identity(self) -> dict[str, Any]:
        """Library, model, configuration, weights of the image tower, preprocessing, precision."""
        return {
            "library": "transformers",
            "architecture": self.model,
            "configuration": self.configuration,
            "weights": self.image_weights,
            "preprocess": {**self.preprocessing.facts(), "decoder": "pillow"},
            "precision": self.precision,
        }

    def preprocess(self, image: Image) -> torch.Tensor:
        """The checkpoint's own preprocessing: (3, height, width) float32."""
        return self.preprocessing(image)

    def pixel_recipe(self) -> PixelRecipe:
        """What that preprocessing does, for other decoders."""
        return hub_recipe(self.preprocessing.facts())

    @torch.inference_mode()
    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Pixels (batch, 3, h, w) → ``features`` (batch, d) and ``preprojection`` (batch, width).

        ``preprojection`` is the class token that enters ``vision_proj``. It is not transformers'
        ``pooler_output``, which has been through the last norm twice.
        """
        with compute_in(self.precision, self.device):
            states = self.network.vision_model(pixel_values=pixels.to(self.device))[0]
            pooled = states[:, 0]
            features = self.network.vision_proj(pooled)
        return {"features": features.float().cpu(), "preprojection": pooled.float().cpu()}


@dataclass(frozen=True, kw_only=True)
class BlipText:
    """The text tower of a :class:`BlipEncoder`; its attention is not causal."""

    encoder: BlipEncoder

    @property
    def logit_scale(self) -> float:
        """Exp of the configuration's ``logit_scale_init_value``; 1/0.07 for the published models.

        BLIP divides cosines by a learnt temperature that starts at 0.07 and is kept within 0.001
        and 0.5. Its ITM class does not have it, so transformers' converted checkpoints do not
        either: what was learnt is lost and the start stands for it. Zero-shot accuracy does not
        depend on it; methods that use the model's own scale do.
        """
        return math.exp(self.encoder.network.config.logit_scale_init_value)

    @property
    def logit_bias(self) -> float:
        """BLIP has none."""
        return 0.0

    def identity(self) -> dict[str, Any]:
        """Library, model, configuration, weights of the text tower, tokenizer, precision."""
        return {
            "library": "transformers",
            "architecture": self.encoder.model,
            "configuration": self.encoder.configuration,
            "weights": self.encoder.text_weights,
            "tokenizer": self.encoder.tokenizer_files,
            "context": _CONTEXT,
            "precision": self.encoder.precision,
        }

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Prompts → int64 (len(texts), 35), padded and cut to BLIP's own length."""
        tokens: torch.Tensor = self.encoder.tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=_CONTEXT,
            return_tensors="pt",
        )["input_ids"]
        return tokens

    @torch.inference_mode()
    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (n, length) → float32 features (n, d), unnormalised; padding is not seen."""
        encoder = self.encoder
        mask = (tokens != encoder.tokenizer.pad_token_id).long()
        with compute_in(encoder.precision, encoder.device):
            states = encoder.network.text_encoder(
                input_ids=tokens.to(encoder.device), attention_mask=mask.to(encoder.device)
            )[0]
            features = encoder.network.text_proj(states[:, 0])
        result: torch.Tensor = features.float().cpu()
        return result
