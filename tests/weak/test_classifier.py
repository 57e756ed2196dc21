"""Laws of weak classifiers, whichever library built them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from w2s_cache.spec import WeakSpec
from w2s_cache.weak.classifier import WeakClassifier
from w2s_cache.weak.start import start_of


@pytest.fixture(params=["timm", "transformers"])
def weak(request: pytest.FixtureRequest, spec_of: Any, cvt_folder: Path) -> WeakSpec:
    """A small network of each library."""
    hub = WeakSpec(library="transformers", model="org/cvt", checkpoint=str(cvt_folder))
    return spec_of() if request.param == "timm" else hub


def test_logits_are_the_network_s_own(weak: WeakSpec, colour_paths: list[Path]) -> None:
    """A classifier returns raw logits of the declared width; its weights are its identity."""
    start = start_of(weak, 3)
    network = start.network.eval().requires_grad_(False)
    classifier = WeakClassifier(
        library=weak.library, start=start, weights="w", classes=3, precision="fp32", device="cpu"
    )
    pixels = torch.stack([classifier.preprocess(Image.open(p)) for p in colour_paths[:4]])
    found = classifier.encode_images(pixels)
    assert classifier.widths == {"logits": 3}
    assert found.keys() == {"logits"}
    assert torch.equal(found["logits"], network(pixels))
    identity = classifier.identity()
    assert json.loads(json.dumps(identity)) == identity
    assert (identity["library"], identity["weights"]) == (weak.library, "w")


def test_the_identity_of_a_timm_network_is_that_of_earlier_caches(spec_of: Any) -> None:
    """Caches that exist stay valid: the key has these fields and no others."""
    start = start_of(spec_of(), 3)
    classifier = WeakClassifier(
        library="timm", start=start, weights="w", classes=3, precision="fp32", device="cpu"
    )
    assert classifier.identity() == {
        "library": "timm",
        "weights": "w",
        "preprocess": {**start.preprocessing, "decoder": "pillow"},
        "precision": "fp32",
    }
