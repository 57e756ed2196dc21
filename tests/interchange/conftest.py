"""Two small extracted domains, and the ways to export and import them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL.Image import Image

from w2s_cache.extract.domain import extract_domain
from w2s_cache.extract.request import ExtractRequest
from w2s_cache.interchange import (
    Declaration,
    Exported,
    ExportOptions,
    Imported,
    ImportRequest,
    export_domain,
    import_domain,
)
from w2s_cache.request import feature_request
from w2s_cache.sections import strong_section_of
from w2s_cache.spec import Spec
from w2s_cache.store.feature_set import FeatureSet, read_feature_set
from w2s_cache.train.inputs import DomainInputs, load_inputs

WIDTH = 6
DOMAINS = ("art", "photo")
SPEC = {
    "name": "tiny",
    "title": "Tiny",
    "data": {"format": "class-folders", "domains": DOMAINS, "test_fraction": 0.5},
    "strong": {"fake": {"library": "fake", "model": "m"}},
    "weak": {"small": {"model": "test_resnet"}},
    "store": {"shard_rows": 5},
}


class FakeText:
    """A text tower that maps letters linearly."""

    logit_scale, logit_bias = 50.0, -1.5

    def __init__(self, width: int = WIDTH) -> None:
        self.width = width

    def identity(self) -> dict[str, Any]:
        """Its width."""
        return {"fake": self.width}

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Code points, padded to 16."""
        return torch.tensor([[ord(letter) for letter in text[:16].ljust(16)] for text in texts])

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """A fixed linear map of the tokens."""
        weights = torch.linspace(-1, 1, 16 * self.width).reshape(16, self.width)
        return tokens.float() @ weights / 100


class FakeEncoder:
    """Mean and maximum of each channel."""

    widths = {"features": WIDTH}  # noqa: RUF012
    text = FakeText()

    def identity(self) -> dict[str, Any]:
        """A name."""
        return {"architecture": "fake"}

    def preprocess(self, image: Image) -> torch.Tensor:
        """Eight by eight pixels in [0, 1]."""
        pixels = np.asarray(image.resize((8, 8)), dtype=np.float32)
        return torch.from_numpy(pixels.transpose(2, 0, 1) / 255)

    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Six numbers per image."""
        return {"features": torch.cat([pixels.mean((2, 3)), pixels.amax((2, 3))], dim=1)}


@dataclass
class Quiet:
    """Progress that remembers what was said."""

    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Remember."""
        self.said.append(text)

    def begin(self, label: str, total: int, *, done: int = 0) -> None:
        """Nothing to remember."""

    def advance(self, count: int) -> None:
        """Nothing to remember."""

    def end(self) -> None:
        """Nothing to remember."""


@dataclass(kw_only=True)
class House:
    """A data root and a cache home with both domains extracted by the fake encoder."""

    home: Path
    images: Path
    weak_logits: Path
    spec: Spec
    progress: Quiet = field(default_factory=Quiet)

    def request(self, strong: str = "fake") -> ExtractRequest:
        """What extraction, or an import under a name, is asked for."""
        name, section = strong_section_of(self.spec, strong)
        return ExtractRequest(
            spec=self.spec,
            strong_name=name,
            strong=section,
            weak_name="theirs",
            weak=None,
            weak_logits=self.weak_logits,
            home=self.home,
            root=self.images,
            device="cpu",
            workers=1,
        )

    def feature_set(self, domain: str = "art", strong: str = "fake") -> FeatureSet:
        """A pair's feature set, as training reads it."""
        asked = self.request(strong)
        return read_feature_set(
            self.home,
            dataset="tiny",
            domain=domain,
            strong=strong,
            weak="theirs",
            request=feature_request(self.spec, strong=asked.strong, weak=None),
        )

    def inputs(self, domain: str = "art", strong: str = "fake") -> DomainInputs:
        """What training reads."""
        return load_inputs(self.home, self.feature_set(domain, strong))

    def export(self, output: Path, domain: str = "art", **options: Any) -> Exported:
        """Exports a domain."""
        asked = ExportOptions(output=output, **options)
        return export_domain(self.home, self.feature_set(domain), asked)

    def bring(self, source: Path, domain: str = "art", **options: Any) -> Imported:
        """Imports features under the name ``theirs``, which the plain declaration says are raw."""
        said = {n: options.pop(n) for n in Declaration.__dataclass_fields__ if n in options}
        width = options.pop("width", WIDTH)
        request = ImportRequest(
            extract=self.request("theirs"),
            source=source,
            declared=Declaration(**{"model": "m", "normalized": False, **said}),
            **options,
        )
        tower = FakeText(width)
        return import_domain(request, domain, encoder=lambda: tower, progress=self.progress)

    def files(self) -> dict[str, bytes]:
        """Every file of the cache with its bytes; locks come and go, so they do not count."""
        found = (p for p in self.home.rglob("*") if p.is_file() and p.suffix != ".lock")
        return {p.relative_to(self.home).as_posix(): p.read_bytes() for p in found}


@pytest.fixture(scope="session")
def built(colours: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> House:
    """The house that others are copies of: 12 images of three classes in each domain."""
    folder = tmp_path_factory.mktemp("house")
    for domain in DOMAINS:
        colours(folder / "images", domain, per_class=4)
    for image in folder.rglob("*.png"):  # older than a moment, so that their hashes are remembered
        os.utime(image, (1_700_000_000, 1_700_000_000))
    paths = sorted(p.relative_to(folder / "images").as_posix() for p in folder.rglob("*.png"))
    logits = np.random.default_rng(0).normal(size=(len(paths), 3)).astype(np.float32)
    np.savez(folder / "weak.npz", path=np.array(paths), logits=logits)
    house = House(
        home=folder / "home",
        images=folder / "images",
        weak_logits=folder / "weak.npz",
        spec=Spec.model_validate(SPEC),
    )
    for domain in DOMAINS:
        extract_domain(
            house.request(), domain, strong=lambda _: FakeEncoder(), progress=house.progress
        )
    return house


@pytest.fixture(autouse=True)
def _calm(one_thread: None) -> None:
    """Every test of this folder runs torch on one thread."""


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    """A house whose cache a test may change."""
    shutil.copytree(built.home, tmp_path / "home")
    return replace(built, home=tmp_path / "home", progress=Quiet())
