"""A tiny training half and recipes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.spec import FinetuneSpec, WeakSpec
from w2s_cache.weak.finetune import TrainImages
from w2s_cache.weak.timm_networks import build_network, evaluation_transform, preprocessing

CLASSES = ("blue", "green", "red")


@pytest.fixture(autouse=True)
def calm(one_thread: None) -> None:
    """Every test of this folder runs torch on one thread."""


def weak_spec(**recipe: Any) -> WeakSpec:
    """A small residual network at 32 pixels, its recipe changed by ``recipe``."""
    plain = {"epochs": 2, "batch_size": 8, "lr": 3e-3, "warmup_ratio": 0.0}
    finetune = FinetuneSpec.model_validate({**plain, **recipe})
    return WeakSpec(model="test_resnet", image_size=32, finetune=finetune)


def started(weak: WeakSpec) -> tuple[Any, Callable[..., Any]]:
    """The network before fine-tuning and its transform."""
    network = build_network(weak, len(CLASSES), generator_seed=weak.finetune.seed)
    return network, evaluation_transform(preprocessing(weak, network))


@pytest.fixture(scope="session")
def colour_paths(colours: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Thirty images, ten of each colour."""
    root = colours(tmp_path_factory.mktemp("colours"), "d", per_class=10)
    return sorted(root.rglob("*.png"))


@pytest.fixture
def train_images(colour_paths: list[Path]) -> Callable[..., TrainImages]:
    """A function from a transform to the training half of those images."""

    def make(transform: Callable[..., Any], count: int | None = None) -> TrainImages:
        labels = np.array([CLASSES.index(path.parent.name) for path in colour_paths])
        return TrainImages(
            paths=colour_paths[:count], labels=labels[:count], transform=transform, workers=2
        )

    return make


@pytest.fixture
def spec_of() -> Callable[..., WeakSpec]:
    """The maker of weak specs."""
    return weak_spec


@pytest.fixture
def start() -> Callable[..., Any]:
    """The maker of networks before fine-tuning."""
    return started
