"""Weak networks from timm: any of its classifiers, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import timm
import torch
from PIL.Image import Image

from w2s_cache.encoders.timm_images import create_timm, refuse_unknown
from w2s_cache.spec import WeakSpec
from w2s_cache.weak.classifier import WeakStart


def start(weak: WeakSpec, classes: int, *, generator_seed: int) -> WeakStart:
    """The network, its transform and what the transform does.

    Raises:
        UnknownNameError: timm has no such model.
        EncoderError: The weights cannot be had or do not fit.
    """
    network = build_network(weak, classes, generator_seed=generator_seed)
    config = preprocessing(weak, network)
    return WeakStart(
        network=network, transform=evaluation_transform(config), preprocessing=config, facts={}
    )


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
