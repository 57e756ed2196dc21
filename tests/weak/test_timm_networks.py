"""Laws of timm networks before they are fine-tuned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image

from w2s_cache.encoders.weights import weights_digest
from w2s_cache.errors import UnknownNameError
from w2s_cache.spec import WeakSpec
from w2s_cache.weak.timm_networks import (
    build_network,
    evaluation_transform,
    preprocessing,
    start,
)


def test_the_seed_decides_the_start_and_no_other_generator_is_used(spec_of: Any) -> None:
    """The same seed builds the same network; torch's global generator is not moved."""
    torch.manual_seed(11)
    before = torch.get_rng_state()
    digests = [
        weights_digest(build_network(spec_of(), 3, generator_seed=seed).state_dict())
        for seed in (0, 0, 1)
    ]
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_checkpoint_is_the_start_and_the_classifier_is_new(tmp_path: Path) -> None:
    """Backbone weights come from the file, the classifier has one output per class."""
    source = timm.create_model("test_resnet")
    torch.save(source.state_dict(), tmp_path / "w.pth")
    weak = WeakSpec(model="test_resnet", checkpoint=str(tmp_path / "w.pth"))
    network = build_network(weak, 3, generator_seed=0)
    assert torch.equal(network.conv1[0].weight, source.conv1[0].weight)
    assert network.get_classifier().weight.shape[0] == 3


@pytest.mark.parametrize("model", ["test_resnet", "test_vit", "test_maxvit", "mixer_s32_224"])
def test_the_image_size_of_the_spec_is_what_the_network_sees(model: str) -> None:
    """Networks of a fixed input size are built for the spec's, others take it as it is."""
    weak = WeakSpec(model=model, image_size=64)
    network = build_network(weak, 3, generator_seed=0).eval().requires_grad_(False)
    transform = evaluation_transform(preprocessing(weak, network))
    pixels = transform(Image.new("RGB", (50, 90)))
    assert pixels.shape == (3, 64, 64)
    assert network(pixels[None]).shape == (1, 3)


def test_small_images_are_resized_whole(spec_of: Any) -> None:
    """At the spec's own size nothing of the border is cropped away."""
    weak = spec_of()
    network = build_network(weak, 3, generator_seed=0)
    image = Image.new("RGB", (32, 32))
    image.putpixel((0, 0), (255, 255, 255))
    image.putpixel((31, 31), (255, 255, 255))
    pixels = evaluation_transform(preprocessing(weak, network))(image)
    lit = pixels[0] > pixels[0].min()
    assert lit[0, 0]
    assert lit[31, 31]


@pytest.mark.parametrize(
    "model", ["resnet18", "resnet26", "resnet34", "convnext_tiny", "vit_tiny_patch16_224"]
)
def test_the_paper_s_networks_are_there_by_name(model: str) -> None:
    """Li et al.'s weak networks and a ViT build, take a small image and have our classes."""
    started = start(WeakSpec(model=model, image_size=32), 3, generator_seed=0)
    network = started.network.eval().requires_grad_(False)
    pixels = started.transform(Image.new("RGB", (50, 90)))
    assert network(pixels[None]).shape == (1, 3)
    assert started.facts == {}


def test_an_unknown_network_is_offered_the_nearest() -> None:
    """A misspelt network is refused by name, with and without a size."""
    for size in (None, 32):
        with pytest.raises(UnknownNameError, match="Did you mean 'test_resnet'"):
            build_network(WeakSpec(model="test_resnt", image_size=size), 3, generator_seed=0)
