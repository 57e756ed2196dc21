"""Library name of a weak model → its network before fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from w2s_cache.encoders.fast_pixels import FastPixels, fast_facts
from w2s_cache.encoders.pixel_recipe import PixelRecipe, hub_recipe, timm_recipe
from w2s_cache.spec import WeakSpec
from w2s_cache.weak.classifier import WeakStart

BUILDERS = {
    "timm": "w2s_cache.weak.timm_networks",
    "transformers": "w2s_cache.weak.hub_networks",
}

_RECIPES: Mapping[str, Callable[[Mapping[str, Any]], PixelRecipe]] = {
    "timm": timm_recipe,
    "transformers": hub_recipe,
}


def start_of(weak: WeakSpec, classes: int) -> WeakStart:
    """The network a spec names, with a fresh classifier drawn from the recipe's seed.

    Raises:
        UnknownNameError: The library has no such model.
        EncoderError: The weights cannot be had or do not fit, or the decoder cannot do what the
            network's preprocessing does.
    """
    builder = import_module(BUILDERS[weak.library])
    started: WeakStart = builder.start(weak, classes, generator_seed=weak.finetune.seed)
    if weak.decoder == "pillow":
        return started
    return replace(
        started,
        transform=FastPixels(_RECIPES[weak.library](started.preprocessing)),
        preprocessing=fast_facts(started.preprocessing),
    )
