"""What an encoder's preprocessing does, as numbers: resize, crop, scale. Nothing is done here.

Libraries say it in words of their own; these functions read them and refuse what they do not know.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from w2s_cache.errors import EncoderError

Filter = Literal["bilinear", "bicubic"]
_FILTERS: dict[Any, Filter] = {
    "bilinear": "bilinear",
    "bicubic": "bicubic",
    2: "bilinear",
    3: "bicubic",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelRecipe:
    """RGB bytes (height, width) → numbers (3, height, width).

    Attributes:
        resize: (height, width) in pixels, or the shorter side alone; the longer one is cut down to
            a whole pixel.
        crop: (height, width) of the centre crop; None for none.
        half: Where a centre lies between two pixels: the ``"even"`` one, or ``"down"`` to the left.
        filter: Interpolation, antialiased.
        mean: Of each channel, subtracted after scaling.
        std: Of each channel, divided by.
        scale: Factor on bytes.
    """

    resize: tuple[int, ...]
    crop: tuple[int, int] | None
    half: Literal["even", "down"]
    filter: Filter
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = 1 / 255

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) that an image is resized to."""
        if len(self.resize) > 1:
            return self.resize[0], self.resize[1]
        shorter = self.resize[0]
        if height <= width:
            return shorter, int(shorter * width / height)
        return int(shorter * height / width), shorter

    def corner_of(self, height: int, width: int) -> tuple[int, int]:
        """(top, left) of the crop in an image of this size."""
        assert self.crop is not None  # noqa: S101 - the caller has looked
        spare = (height - self.crop[0], width - self.crop[1])
        if self.half == "down":
            return spare[0] // 2, spare[1] // 2
        return round(spare[0] / 2), round(spare[1] / 2)


def open_clip_recipe(config: Mapping[str, Any]) -> PixelRecipe:
    """Of open_clip's ``preprocess_cfg``, in evaluation.

    Raises:
        EncoderError: A resize mode that adds borders, or another shape than a square.
    """
    height, width = _pair(config["size"])
    mode = config["resize_mode"]
    if mode not in {"shortest", "squash"} or (mode == "shortest" and height != width):
        raise _unknown("open_clip", f"resize mode {mode} to {height}×{width}")
    return PixelRecipe(
        resize=(height, width) if mode == "squash" else (height,),
        crop=(height, width) if mode == "shortest" else None,
        half="even",
        filter="bilinear" if config["interpolation"] == "bilinear" else "bicubic",
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def timm_recipe(config: Mapping[str, Any]) -> PixelRecipe:
    """Of a timm data configuration, in evaluation.

    Raises:
        EncoderError: A crop mode that adds borders, another shape than a square, or another filter.
    """
    height, width = config["input_size"][1:]
    mode, share = config["crop_mode"], config["crop_pct"]
    if mode not in {"center", "squash"} or (mode == "center" and height != width):
        raise _unknown("timm", f"crop mode {mode} to {height}×{width}")
    scaled = tuple(math.floor(side / share) for side in (height, width))
    return PixelRecipe(
        resize=scaled if mode == "squash" else scaled[:1],
        crop=(height, width),
        half="even",
        filter=_filter("timm", config["interpolation"]),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def hub_recipe(facts: Mapping[str, Any]) -> PixelRecipe:
    """Of a hub model's preprocessing as JSON values.

    Raises:
        EncoderError: Another filter.
    """
    return PixelRecipe(
        resize=tuple(facts["resize"]),
        crop=None if facts["crop"] is None else (facts["crop"][0], facts["crop"][1]),
        half="down",
        filter=_filter("transformers", facts["resample"]),
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        scale=facts["rescale"],
    )


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _filter(library: str, name: Any) -> Filter:
    if name not in _FILTERS:
        raise _unknown(library, f"interpolation {name}")
    return _FILTERS[name]


def _unknown(library: str, found: str) -> EncoderError:
    return EncoderError(
        f"the fast decoder does not know this preprocessing of {library}",
        expected="resizing to a square by bilinear or bicubic interpolation, without borders",
        found=found,
        fix="Set decoder = 'pillow' (or leave it out) for this model.",
    )
