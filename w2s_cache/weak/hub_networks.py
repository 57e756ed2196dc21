"""Weak networks from the Hugging Face hub: any image classifier of transformers, CvT among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s_cache.encoders.hub import (
    configuration_digest,
    model_folder,
    read_network,
    read_part,
    refuse_missing,
    told_of,
    transformers_library,
)
from w2s_cache.encoders.hub_images import HubPreprocessing, read_preprocessing
from w2s_cache.encoders.refusal import UNUSABLE, reason
from w2s_cache.errors import EncoderError
from w2s_cache.spec import WeakSpec
from w2s_cache.weak.classifier import WeakStart


def start(weak: WeakSpec, classes: int, *, generator_seed: int) -> WeakStart:
    """The network with a fresh classifier, and the checkpoint's own preprocessing.

    Random numbers come from ``generator_seed`` without touching torch's global generator.

    Raises:
        EncoderError: transformers is missing, the model cannot be had, is no image classifier, has
            no linear classifier to replace, or does not take images of this size.
    """
    transformers_library()
    from_weights = weak.pretrained or weak.checkpoint is not None
    folder = model_folder(weak.model, weak.checkpoint, weights=from_weights)
    preprocessing = read_preprocessing(folder)
    if weak.image_size is not None:
        preprocessing = preprocessing.at(weak.image_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator_seed)
        network = _read(folder) if from_weights else _drawn(folder, preprocessing)
        torch.manual_seed(generator_seed)  # how much reading draws differs between versions
        _replace_classifier(weak.model, network, classes)
    answer = HubLogits(network)
    _refuse_size(weak.model, answer, preprocessing)
    return WeakStart(
        network=answer,
        transform=preprocessing,
        preprocessing=preprocessing.facts(),
        facts={"configuration": configuration_digest(folder)},
    )


class HubLogits(nn.Module):
    """A classifier of transformers as a function from pixels to logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        """(batch, 3, h, w) → (batch, classes): what an answer without a loss begins with."""
        logits: Tensor = self.network(pixel_values=pixels)[0]
        return logits


def _read(folder: Path) -> Any:
    network, missing = read_network(transformers_library().AutoModelForImageClassification, folder)
    heads = tuple(f"{name}." for name in _classifiers(network))
    refuse_missing(folder, (name for name in missing if not name.startswith(heads)))
    return network


def _drawn(folder: Path, preprocessing: HubPreprocessing) -> Any:
    """The architecture with random numbers, built for the size of the images."""
    library = transformers_library()
    config = read_part(library.AutoConfig, folder)
    if hasattr(config, "image_size"):
        config.image_size = preprocessing.size[0]
    with told_of(folder, "AutoModelForImageClassification"):
        return library.AutoModelForImageClassification.from_config(config)


def _classifiers(network: Any) -> list[str]:
    """Names of the linear layers behind the backbone with one output per class."""
    backbone = f"{network.base_model_prefix}."
    return [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear)
        and layer.out_features == network.config.num_labels
        and not name.startswith(backbone)
    ]


def _replace_classifier(model: str, network: Any, classes: int) -> None:
    names = _classifiers(network)
    if not names:
        raise EncoderError(
            f"the classifier of {model} cannot be replaced",
            expected="a linear layer behind the backbone, one output per class",
            found=f"none in {type(network).__name__}",
            fix="Choose another model, or the same network with library = 'timm'.",
        )
    for name in names:
        old = network.get_submodule(name)
        parent, _, last = name.rpartition(".")
        fresh = nn.Linear(old.in_features, classes, bias=old.bias is not None)
        setattr(network.get_submodule(parent), last, fresh)
    network.requires_grad_(True)


def _refuse_size(model: str, network: nn.Module, preprocessing: HubPreprocessing) -> None:
    """Tries one blank image."""
    height, width = preprocessing.size
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, height, width))
    except UNUSABLE as error:
        raise EncoderError(
            f"{model} does not take images of {height}×{width} pixels",
            expected="a size that the network was made for",
            found=reason(error),
            fix="Leave `image_size` out of the spec, or choose a network that takes any size.",
        ) from error
