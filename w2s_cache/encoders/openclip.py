"""Strong encoders from open_clip: any CLIP by tag, hub name or local checkpoint."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import open_clip
import torch
from PIL.Image import Image

from w2s_cache.bundled import BUNDLED
from w2s_cache.encoders.names import split_model_name
from w2s_cache.encoders.pixel_recipe import PixelRecipe, open_clip_recipe
from w2s_cache.encoders.precision import compute_in
from w2s_cache.encoders.refusal import UNUSABLE, reason
from w2s_cache.encoders.weights import weights_digest
from w2s_cache.errors import EncoderError, UnknownNameError

_OFFLINE = (
    f" Without a network `--strong {next(iter(BUNDLED))}` works, a small encoder that ships with "
    "w2s-cache and knows little but drawings."
)


def load(model: str, *, checkpoint: str | None, precision: str, device: str) -> OpenClipEncoder:
    """Builds a frozen open_clip model.

    Args:
        model: ``ARCH,TAG``, ``ARCH:TAG``, an OpenAI spelling, ``hf-hub:…``, ``local-dir:…``,
            ``pocket-clip``, or a bare ``ARCH`` when ``checkpoint`` is given.
        checkpoint: A local weights file (safetensors or a weights-only torch file).
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
        device: A torch device string.

    Raises:
        EncoderError: No weights named, weights that do not fit or cannot be had, or a tag trained
            with QuickGELU under an architecture without it (or the reverse).
        UnknownNameError: The architecture or the tag does not exist, or a model that has no tags,
            since it ships here, is given one.
    """
    architecture, tag = split_model_name(model)
    if architecture in BUNDLED:
        if tag is not None:
            raise UnknownNameError("model that ships with w2s-cache", model, BUNDLED)
        open_clip.add_model_config(BUNDLED[architecture].config)
        checkpoint = checkpoint or str(BUNDLED[architecture].weights)
    weights = checkpoint or tag
    if not architecture.startswith(("hf-hub:", "local-dir:")):
        _refuse_unknown(architecture, weights, tag=None if checkpoint else tag)
    network = _create(architecture, weights, device, fetched=checkpoint is None)
    network.eval().requires_grad_(False)
    state = network.state_dict()
    text_state = {name: value for name, value in state.items() if not name.startswith("visual.")}
    return OpenClipEncoder(
        architecture=architecture,
        network=network,
        image_weights=weights_digest(network.visual.state_dict()),
        text_weights=weights_digest(text_state),
        transform=open_clip.transform.image_transform_v2(
            open_clip.transform.PreprocessCfg(**network.visual.preprocess_cfg), is_train=False
        ),
        tokenizer=open_clip.get_tokenizer(architecture),
        precision=precision,
        device=device,
    )


def _refuse_unknown(architecture: str, weights: str | None, *, tag: str | None) -> None:
    if architecture not in open_clip.list_models():
        raise UnknownNameError("open_clip architecture", architecture, open_clip.list_models())
    if weights is None:
        raise EncoderError(
            f"no weights named for {architecture}",
            expected="ARCH,TAG or a checkpoint file",
            found="an architecture alone",
            fix=f"Write e.g. '{architecture},{_first_tag(architecture)}', or give `checkpoint`.",
        )
    if tag is None:
        return
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag not in tags:
        raise UnknownNameError(f"tag of {architecture}", tag, tags)
    _refuse_activation_mismatch(architecture, tag)


def _first_tag(architecture: str) -> str:
    return next(iter(open_clip.list_pretrained_tags_by_model(architecture)), "TAG")


def _refuse_activation_mismatch(architecture: str, tag: str) -> None:
    config = open_clip.get_model_config(architecture) or {}
    built = bool(config.get("quick_gelu", False))
    trained = bool((open_clip.get_pretrained_cfg(architecture, tag) or {}).get("quick_gelu", False))
    base = architecture.removesuffix("-quickgelu")
    right = f"{base}-quickgelu" if trained else base
    if built != trained and right != architecture:  # else open_clip knows no other build of it
        raise EncoderError(
            f"QuickGELU mismatch in '{architecture},{tag}'",
            expected=f"an architecture {'with' if trained else 'without'} QuickGELU",
            found=f"one {'with' if built else 'without'} it",
            fix=f"Use '{right},{tag}'.",
        )


def _create(architecture: str, weights: str | None, device: str, *, fetched: bool) -> Any:
    try:
        return open_clip.create_model(
            architecture, pretrained=weights, precision="fp32", device=device, weights_only=True
        )
    except UNUSABLE as error:
        raise EncoderError(
            f"cannot load {architecture}{f' with {weights}' if weights else ''}",
            expected="weights that exist and fit the architecture",
            found=reason(error),
            fix="Check the name, the file and the network, or give local weights by "
            f"--strong-checkpoint (`checkpoint` in the spec).{_OFFLINE if fetched else ''}",
        ) from error


@dataclass(frozen=True, kw_only=True)
class OpenClipEncoder:
    """An open_clip model as a strong encoder: float32 parameters, frozen, in eval mode.

    ``image_weights`` and ``text_weights`` are the digests of the two towers.
    """

    architecture: str
    network: Any
    image_weights: str
    text_weights: str
    transform: Callable[[Image], torch.Tensor]
    tokenizer: Callable[[list[str]], torch.Tensor]
    precision: str
    device: str

    @property
    def text(self) -> OpenClipText:
        """The text tower."""
        return OpenClipText(encoder=self)

    @cached_property
    def widths(self) -> dict[str, int]:
        """Width of ``features`` and, for ViT and timm towers, ``preprojection``."""
        size = self.network.visual.preprocess_cfg["size"]
        height, width = (size, size) if isinstance(size, int) else size
        blank = torch.zeros(1, 3, height, width)
        return {name: tensor.shape[1] for name, tensor in self.encode_images(blank).items()}

    def identity(self) -> dict[str, Any]:
        """Library, architecture, weights of the image tower, preprocessing, precision."""
        return {
            "library": "open_clip",
            "architecture": self.architecture,
            "quick_gelu": _uses_quick_gelu(self.network.visual),
            "weights": self.image_weights,
            "preprocess": {**self.network.visual.preprocess_cfg, "decoder": "pillow"},
            "precision": self.precision,
        }

    def preprocess(self, image: Image) -> torch.Tensor:
        """open_clip's own evaluation transform of this model: (3, height, width) float32."""
        return self.transform(image)

    def pixel_recipe(self) -> PixelRecipe:
        """What that transform does, for other decoders."""
        return open_clip_recipe(self.network.visual.preprocess_cfg)

    @torch.inference_mode()
    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Pixels (batch, 3, h, w) → ``features`` (batch, d), bit-equal to ``model.encode_image``.

        ViT and timm towers end in a projection; what enters it is returned as ``preprojection``.
        """
        with compute_in(self.precision, self.device):
            tensors = self._forward(pixels.to(self.device))
        return {name: tensor.float().cpu() for name, tensor in tensors.items()}

    def _forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        visual = self.network.visual
        if isinstance(visual, open_clip.timm_model.TimmModel):
            pooled = visual.trunk(pixels)
            return {"features": visual.head(pooled), "preprojection": pooled}
        if isinstance(visual, open_clip.transformer.VisionTransformer) and _projects(visual):
            pooled = _without_projection(visual, pixels)
            return {"features": pooled @ visual.proj, "preprojection": pooled}
        return {"features": self.network.encode_image(pixels)}


def _uses_quick_gelu(module: torch.nn.Module) -> bool:
    quick = open_clip.transformer.QuickGELU
    return any(isinstance(part, quick) for part in module.modules())


def _projects(visual: Any) -> bool:
    return visual.proj is not None and not visual.output_tokens


def _without_projection(visual: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Runs a ViT tower whose projection is taken out for this one call."""
    stripped = copy.copy(visual)  # shares every parameter; only the projection differs
    stripped._parameters = {**visual._parameters, "proj": None}  # noqa: SLF001
    pooled: torch.Tensor = stripped(pixels)
    return pooled


@dataclass(frozen=True, kw_only=True)
class OpenClipText:
    """The text tower of an :class:`OpenClipEncoder`."""

    encoder: OpenClipEncoder

    @property
    def logit_scale(self) -> float:
        """Exp of the learnt log scale; 100 for OpenAI's CLIPs."""
        return float(self.encoder.network.logit_scale.exp())

    @property
    def logit_bias(self) -> float:
        """The learnt offset of SigLIP; 0 where the model has none."""
        bias = getattr(self.encoder.network, "logit_bias", None)
        return 0.0 if bias is None else float(bias)

    def identity(self) -> dict[str, Any]:
        """Library, architecture, weights of everything but the image tower, precision."""
        return {
            "library": "open_clip",
            "architecture": self.encoder.architecture,
            "quick_gelu": _uses_quick_gelu(self.encoder.network),
            "weights": self.encoder.text_weights,
            "tokenizer": type(self.encoder.tokenizer).__name__,
            "precision": self.encoder.precision,
        }

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Prompts → int64 (len(texts), context length), by the model's own tokenizer."""
        tokens: torch.Tensor = self.encoder.tokenizer(list(texts))
        return tokens

    @torch.inference_mode()
    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (n, context length) → float32 features (n, d), unnormalised."""
        with compute_in(self.encoder.precision, self.encoder.device):
            features = self.encoder.network.encode_text(tokens.to(self.encoder.device))
        result: torch.Tensor = features.float().cpu()
        return result
