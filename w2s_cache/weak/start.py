"""Library name of a weak model → its network before fine-tuning."""

from __future__ import annotations

from importlib import import_module

from w2s_cache.spec import WeakSpec
from w2s_cache.weak.classifier import WeakStart

BUILDERS = {
    "timm": "w2s_cache.weak.timm_networks",
    "transformers": "w2s_cache.weak.hub_networks",
}


def start_of(weak: WeakSpec, classes: int) -> WeakStart:
    """The network a spec names, with a fresh classifier drawn from the recipe's seed.

    Raises:
        UnknownNameError: The library has no such model.
        EncoderError: The weights cannot be had or do not fit.
    """
    builder = import_module(BUILDERS[weak.library])
    started: WeakStart = builder.start(weak, classes, generator_seed=weak.finetune.seed)
    return started
