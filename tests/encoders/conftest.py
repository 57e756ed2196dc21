"""Tiny random towers of the three kinds open_clip has, saved as local checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
_TOWERS: dict[str, dict[str, Any]] = {
    "tiny-vit": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "tiny-resnet": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None},
    "tiny-timm": {
        "image_size": 32,
        "timm_model_name": "test_resnet",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
    },
}


@pytest.fixture(autouse=True)
def calm(one_thread: None) -> None:
    """Every test of this folder runs torch on one thread."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Architecture name → a checkpoint of random numbers; the architectures are registered."""
    folder = tmp_path_factory.mktemp("tiny")
    checkpoints = {}
    for name, vision in _TOWERS.items():
        config = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": _TEXT}
        (folder / f"{name}.json").write_text(json.dumps(config))
        open_clip.add_model_config(folder / f"{name}.json")
        with torch.random.fork_rng():
            torch.manual_seed(7)
            network = open_clip.create_model(name)
        checkpoints[name] = str(folder / f"{name}.safetensors")
        save_file(network.state_dict(), checkpoints[name])
    return checkpoints


@pytest.fixture
def pictures(colours: Any, tmp_path: Path) -> list[Image.Image]:
    """Three images of different classes."""
    root = colours(tmp_path / "pictures", "d", per_class=1)
    return [Image.open(path).convert("RGB") for path in sorted(root.rglob("*.png"))]
