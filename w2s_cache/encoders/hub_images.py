"""A hub model's image preprocessing, done by Pillow whatever version of transformers is installed.

transformers decides by version and by what else is installed whether it resizes with Pillow or
with torch, and the two differ. Here its processor is only asked what it would do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image, Resampling
from torchvision.transforms import functional

from w2s_cache.encoders.hub import read_part, transformers_library
from w2s_cache.errors import EncoderError

_WARPED_FROM = 384  # ConvNeXt's processor crops below this size and resizes whole from it on
_PLAIN = {  # resize, then perhaps a centre crop, rescale, normalise
    "BeitImageProcessor", "BitImageProcessor", "BlipImageProcessor", "CLIPImageProcessor",
    "DeiTImageProcessor", "PvtImageProcessor", "SiglipImageProcessor", "ViTImageProcessor",
}  # fmt: skip
_CONVNEXT = "ConvNextImageProcessor"


@dataclass(frozen=True, kw_only=True, slots=True)
class HubPreprocessing:
    """RGB image → (3, height, width) float32, as ``transformers`` with Pillow would do it.

    Attributes:
        resize: (height, width) in pixels, or the shorter side alone.
        crop: (height, width) of the centre crop; None for none.
        resample: Pillow's number of the filter.
        rescale: Factor on bytes, usually 1/255.
        mean: Subtracted per channel, after rescaling.
        std: Divided by per channel.
    """

    resize: tuple[int, ...]
    crop: tuple[int, int] | None
    resample: int
    rescale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of what comes out."""
        return self.crop or (self.resize[0], self.resize[-1])

    def facts(self) -> dict[str, Any]:
        """All of it as JSON values, for a cache key."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def at(self, size: int) -> HubPreprocessing:
        """The same for another size: images are resized whole, no border is cropped away."""
        return replace(self, resize=(size, size), crop=None)

    def __call__(self, image: Image) -> torch.Tensor:
        """Resizes, crops, rescales and normalises one RGB image."""
        sized = image.resize(self._target(image), Resampling(self.resample))
        if self.crop is not None:
            height, width = self.crop
            left, top = (sized.width - width) // 2, (sized.height - height) // 2
            sized = sized.crop((left, top, left + width, top + height))
        pixels: torch.Tensor = functional.pil_to_tensor(sized).float() * self.rescale
        mean, std = torch.tensor(self.mean), torch.tensor(self.std)
        return (pixels - mean[:, None, None]) / std[:, None, None]

    def _target(self, image: Image) -> tuple[int, int]:
        """Pillow's (width, height)."""
        if len(self.resize) > 1:
            return self.resize[1], self.resize[0]
        shorter = self.resize[0]
        if image.width <= image.height:
            return shorter, int(shorter * image.height / image.width)
        return int(shorter * image.width / image.height), shorter


def read_preprocessing(folder: Path) -> HubPreprocessing:
    """What the image processor of a model folder says, its class's defaults filled in.

    Raises:
        EncoderError: There is none, or it does what is not known here.
    """
    processor = read_part(transformers_library().AutoImageProcessor, folder)
    kind = type(processor).__name__.removesuffix("Fast").removesuffix("Pil")
    if kind not in _PLAIN | {_CONVNEXT} or not processor.do_resize:
        raise _unknown(folder, kind)
    resize, crop = _convnext(processor) if kind == _CONVNEXT else _plain(processor)
    if crop is None and len(resize) == 1:
        raise _unknown(folder, f"{kind} that leaves images of differing shape")
    return HubPreprocessing(
        resize=resize,
        crop=crop,
        resample=int(processor.resample),
        rescale=float(processor.rescale_factor) if processor.do_rescale else 1.0,
        mean=tuple(processor.image_mean) if processor.do_normalize else (0.0, 0.0, 0.0),
        std=tuple(processor.image_std) if processor.do_normalize else (1.0, 1.0, 1.0),
    )


def _plain(processor: Any) -> tuple[tuple[int, ...], tuple[int, int] | None]:
    crop = None
    if getattr(processor, "do_center_crop", False):
        crop = (int(processor.crop_size["height"]), int(processor.crop_size["width"]))
    size = dict(processor.size)
    if size.get("shortest_edge"):
        return (int(size["shortest_edge"]),), crop
    return (int(size["height"]), int(size["width"])), crop


def _convnext(processor: Any) -> tuple[tuple[int, ...], tuple[int, int] | None]:
    edge = int(dict(processor.size)["shortest_edge"])
    if edge >= _WARPED_FROM:
        return (edge, edge), None
    return (int(edge / processor.crop_pct),), (edge, edge)


def _unknown(folder: Path, kind: str) -> EncoderError:
    return EncoderError(
        f"the image preprocessing of {folder} is not known here",
        expected=f"resizing as by {', '.join(sorted(_PLAIN | {_CONVNEXT}))}",
        found=kind,
        fix="Choose another model, or import its predictions with --weak-logits.",
    )
