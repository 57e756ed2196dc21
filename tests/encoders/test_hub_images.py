"""Laws of hub preprocessing: Pillow's pixels, whatever transformers would use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from w2s_cache.encoders.hub_images import read_preprocessing
from w2s_cache.errors import EncoderError

SQUARE = {"height": 24, "width": 24}
PROCESSORS: dict[str, dict[str, Any]] = {
    "blip": {"image_processor_type": "BlipImageProcessor", "size": SQUARE},
    "vit": {"image_processor_type": "ViTImageProcessor", "size": {"height": 20, "width": 30}},
    "vit, other numbers": {
        "image_processor_type": "ViTImageProcessor",
        "size": SQUARE,
        "resample": 3,
        "rescale_factor": 0.01,
        "image_mean": [0.1, 0.2, 0.3],
        "image_std": [0.5, 0.6, 0.7],
    },
    "not normalised": {
        "image_processor_type": "ViTImageProcessor",
        "size": SQUARE,
        "do_normalize": False,
    },
    "clip": {
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": 31},
        "crop_size": SQUARE,
    },
    "convnext": {
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 25},
        "crop_pct": 0.875,
    },
    "convnext, warped": {
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 384},
    },
}


def written(folder: Path, said: dict[str, Any]) -> Path:
    """A folder with a processor's configuration."""
    (folder / "preprocessor_config.json").write_text(json.dumps(said))
    return folder


def pillow_processor(said: dict[str, Any]) -> Any:
    """The library's processor that works with Pillow; version 5 has a class of its own for it."""
    name = said["image_processor_type"]
    kind = getattr(transformers, f"{name}Pil", None) or getattr(transformers, name)
    return kind(**{key: v for key, v in said.items() if key != "image_processor_type"})


@pytest.mark.parametrize("size", [(57, 40), (40, 57), (24, 24), (20, 90)])
@pytest.mark.parametrize("said", PROCESSORS.values(), ids=PROCESSORS)
def test_pixels_are_those_of_transformers_with_pillow(
    tmp_path: Path, said: dict[str, Any], size: tuple[int, int]
) -> None:
    """Resize, crop, rescale and normalise agree with the library's own Pillow processor."""
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    preprocessing = read_preprocessing(written(tmp_path, said))
    wanted = pillow_processor(said)(images=image, return_tensors="pt")["pixel_values"][0]
    found = preprocessing(image)
    assert found.dtype == torch.float32
    assert found.shape[1:] == preprocessing.size
    torch.testing.assert_close(found, wanted.float(), rtol=1e-5, atol=1e-5)


def test_an_old_feature_extractor_is_understood(cvt_folder: Path) -> None:
    """The spelling of 2022, with a bare number as size, means the same as today's."""
    found = read_preprocessing(cvt_folder)
    assert (found.resize, found.crop, found.resample) == ((36,), (32, 32), 3)  # 36 = ⌊32 / 0.875⌋


def test_another_size_is_resized_whole(tmp_path: Path) -> None:
    """At a spec's own size nothing of the border is cropped away; mean and filter stay."""
    before = read_preprocessing(written(tmp_path, PROCESSORS["clip"]))
    after = before.at(16)
    assert (after.resize, after.crop, after.size) == ((16, 16), None, (16, 16))
    assert (after.mean, after.resample) == (before.mean, before.resample)


def test_facts_are_json_values_and_hold_every_field(tmp_path: Path) -> None:
    """Facts survive JSON and name all that the transform does."""
    facts = read_preprocessing(written(tmp_path, PROCESSORS["clip"])).facts()
    assert json.loads(json.dumps(facts)) == facts
    assert set(facts) == {"resize", "crop", "resample", "rescale", "mean", "std"}


@pytest.mark.parametrize(
    "said",
    [
        {"image_processor_type": "LevitImageProcessor"},
        {"image_processor_type": "ViTImageProcessor", "do_resize": False},
        {
            "image_processor_type": "CLIPImageProcessor",
            "size": {"shortest_edge": 31},
            "do_center_crop": False,
        },
        None,
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, said: dict[str, Any] | None) -> None:
    """A processor that does other things, or none at all, is never approximated."""
    if said is not None:
        written(tmp_path, said)
    with pytest.raises(EncoderError) as caught:
        read_preprocessing(tmp_path)
    assert str(tmp_path) in caught.value.what
    assert "\n" not in str(caught.value)
