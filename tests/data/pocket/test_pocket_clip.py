"""The strong model that ships with the pocket data set."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import w2s_cache
from w2s_cache.data.pocket import CLASSES, DOMAINS, draw

ASSETS = Path(w2s_cache.__file__).parent / "encoders" / "pocket_clip"
WEIGHTS = ASSETS / "pocket-clip.safetensors"
Loaded = tuple[open_clip.CLIP, Callable[[Image.Image], torch.Tensor]]
FRESH_SEEDS = range(5_000_000, 5_000_004)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """The shipped model and its preprocessing, through open_clip's own door."""
    open_clip.add_model_config(ASSETS / "pocket-clip.json")
    model, _, preprocess = open_clip.create_model_and_transforms(
        "pocket-clip", pretrained=str(WEIGHTS)
    )
    return model.eval().to(memory_format=torch.channels_last), preprocess


@pytest.fixture(scope="module")
def text(loaded: Loaded) -> torch.Tensor:
    """One unit embedding of "a photo of a {}" per class, (40, 128)."""
    prompts = [f"a photo of a {name.replace('_', ' ')}" for name in CLASSES]
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer("pocket-clip")(prompts)
        found: torch.Tensor = loaded[0].encode_text(tokens, normalize=True)
    return found


def test_the_checkpoint_is_small_and_matches_the_config_key_by_key(loaded: Loaded) -> None:
    """Every tensor of the model comes from the file, which stays below 15 MB."""
    assert WEIGHTS.stat().st_size <= 15_000_000
    assert set(load_file(WEIGHTS)) == set(loaded[0].state_dict())
    assert json.loads((ASSETS / "pocket-clip.json").read_text())["vision_cfg"]["image_size"] == 64


def test_parameters_are_float32_and_finite(loaded: Loaded) -> None:
    """Half precision is for storage only."""
    assert {p.dtype for p in loaded[0].parameters()} == {torch.float32}
    assert all(torch.isfinite(p).all() for p in loaded[0].parameters())


@pytest.mark.parametrize("domain", DOMAINS)
def test_zero_shot_is_above_five_times_chance(
    loaded: Loaded, text: torch.Tensor, domain: str
) -> None:
    """On pictures nobody has seen, "a photo of a {}" finds the class five times above chance."""
    model, preprocess = loaded
    images = torch.stack(
        [preprocess(draw(name, domain, seed)) for name in CLASSES for seed in FRESH_SEEDS]
    )
    with torch.inference_mode():
        found = (model.encode_image(images, normalize=True) @ text.T).argmax(1).numpy()
    truth = np.repeat(np.arange(len(CLASSES)), len(FRESH_SEEDS))
    assert (found == truth).mean() > 5 / len(CLASSES)
