"""The fast way from an image file to pixels: large JPEGs decoded small, then resized as bytes.

It is chosen by ``decoder = "fast"``, is part of every key, and its numbers are near those of the
library's own transform, not equal to them. Two things differ:

- A JPEG leaves the decoder at ½, ¼ or ⅛ of its size where `SPARE` times the needed size remains,
  hence from three times the needed size on (libjpeg's inverse DCT of fewer points).
- Resizing rounds to bytes inside torch's antialiased kernel; Pillow's filters may differ by one
  level of 255.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor
from torch.nn import functional

from w2s_cache.encoders.pixel_recipe import PixelRecipe

SPARE = 1.5
"""How many times larger than needed a scaled-down JPEG stays; the filter does what is left."""

_VERSION = 1  # raised whenever the same image gives other numbers


@dataclass(frozen=True, slots=True)
class FastPixels:
    """RGB image → float32 (3, height, width), by an encoder's own recipe; without state."""

    recipe: PixelRecipe

    @property
    def at_least(self) -> int:
        """Shorter side in pixels that an image must keep when it is decoded scaled down."""
        return math.ceil(SPARE * max(self.recipe.resize))

    def __call__(self, image: Image) -> Tensor:
        """Resizes, crops and normalises one RGB image."""
        recipe = self.recipe
        levels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        size = recipe.size_of(image.height, image.width)
        if size != (image.height, image.width):
            levels = functional.interpolate(
                levels.unsqueeze(0), size=size, mode=recipe.filter, antialias=True
            )[0]
        if recipe.crop is not None:
            top, left = recipe.corner_of(*size)
            levels = levels[:, top : top + recipe.crop[0], left : left + recipe.crop[1]]
        std = torch.tensor(recipe.std)[:, None, None]
        mean = torch.tensor(recipe.mean)[:, None, None]
        return levels.contiguous().float().mul_(recipe.scale / std).sub_(mean / std)


def fast_facts(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """What a key says of preprocessing that the fast decoder does instead, as JSON values."""
    return {**preprocessing, "decoder": "fast", "decoder_version": _VERSION, "spare": SPARE}
