"""A recipe says in numbers what a library's own transform does."""

from __future__ import annotations

from typing import Any

import numpy as np
import open_clip
import pytest
import timm
import torch
from PIL import Image

from w2s_cache.encoders.fast_pixels import FastPixels
from w2s_cache.encoders.hub_images import HubPreprocessing
from w2s_cache.encoders.pixel_recipe import hub_recipe, open_clip_recipe, timm_recipe
from w2s_cache.errors import EncoderError

SIZES = ((90, 70), (92, 70), (71, 90), (48, 48), (33, 100), (20, 30))
LEVEL = 1 / 255 / 0.2  # one of 255 levels, as it comes out of a normalisation by 0.2


def picture(width: int, height: int) -> Image.Image:
    """Smooth colours without a symmetry, so that a shift or a swapped axis shows."""
    x, y = np.meshgrid(np.linspace(0, 3, width), np.linspace(0, 2, height))
    waves = np.stack([np.sin(x + y), np.cos(2 * x - y), np.sin(x * y)], axis=-1)
    return Image.fromarray((127 + 100 * waves).astype(np.uint8))


def open_clip_pair(**changes: Any) -> tuple[Any, Any]:
    """open_clip's transform and the recipe of the same configuration."""
    config = open_clip.transform.PreprocessCfg(size=32, std=(0.2, 0.3, 0.4), **changes)
    own = open_clip.transform.image_transform_v2(config, is_train=False)
    return own, open_clip_recipe(vars(config))


def timm_pair(**changes: Any) -> tuple[Any, Any]:
    """Timm's transform and the recipe of the same configuration."""
    config = {
        "input_size": (3, 32, 32),
        "interpolation": "bicubic",
        "crop_pct": 0.875,
        "crop_mode": "center",
        "mean": (0.5, 0.4, 0.3),
        "std": (0.2, 0.3, 0.4),
        **changes,
    }
    return timm.data.create_transform(**config, is_training=False), timm_recipe(config)


def hub_pair(**changes: Any) -> tuple[Any, Any]:
    """A hub model's preprocessing and its recipe."""
    own = HubPreprocessing(
        **{"resize": (36,), "crop": (32, 32), "resample": 3, "rescale": 1 / 255}
        | {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4)}
        | changes
    )
    return own, hub_recipe(own.facts())


PAIRS = {
    "open_clip": open_clip_pair(),
    "open_clip bilinear": open_clip_pair(interpolation="bilinear"),
    "open_clip squash": open_clip_pair(resize_mode="squash"),
    "timm": timm_pair(),
    "timm bilinear": timm_pair(interpolation="bilinear", crop_pct=0.9),
    "timm squash": timm_pair(crop_mode="squash", input_size=(3, 32, 24)),
    "hub": hub_pair(),
    "hub whole": hub_pair(resize=(32, 24), crop=None, resample=2),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAIRS)
def test_the_fast_pixels_are_the_library_s_own_up_to_rounding(name: str, size: Any) -> None:
    """Same shape, same place: every number within two of 255 levels, on average within a half."""
    own, recipe = PAIRS[name]
    image = picture(*size)
    wanted, found = own(image), FastPixels(recipe)(image)
    assert found.shape == wanted.shape
    assert found.dtype == torch.float32
    gap = (found - wanted).abs()
    assert gap.max() <= 2 * LEVEL
    assert gap.mean() <= 0.5 * LEVEL


def test_an_image_of_the_right_size_is_only_normalised() -> None:
    """Nothing is rounded, so the numbers are open_clip's up to float32."""
    own, recipe = open_clip_pair()
    image = picture(32, 32)
    torch.testing.assert_close(FastPixels(recipe)(image), own(image), atol=2e-6, rtol=0)


@pytest.mark.parametrize(
    ("make", "changes", "said"),
    [
        (open_clip_pair, {"resize_mode": "longest"}, "longest"),
        (timm_pair, {"crop_mode": "border"}, "border"),
        (timm_pair, {"input_size": (3, 32, 24)}, "32×24"),
        (timm_pair, {"interpolation": "lanczos"}, "lanczos"),
        (hub_pair, {"resample": 1}, "interpolation 1"),
    ],
)
def test_what_a_recipe_cannot_say_is_refused(make: Any, changes: Any, said: str) -> None:
    """Borders, other shapes than squares and other filters: never done approximately."""
    with pytest.raises(EncoderError, match=f"fast decoder .*{said}.*decoder = 'pillow'"):
        make(**changes)
