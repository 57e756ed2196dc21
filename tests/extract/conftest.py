"""A tiny domain, a strong encoder that counts what it is asked, and requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL.Image import Image

from w2s_cache.extract.domain import extract_domain
from w2s_cache.extract.request import Extracted, ExtractRequest
from w2s_cache.request import feature_request
from w2s_cache.spec import Spec
from w2s_cache.store.feature_set import FeatureSet, open_member, read_feature_set
from w2s_cache.store.reader import Store

WIDTH = 6


@dataclass(frozen=True, kw_only=True)
class FakeText:
    """A text tower that hashes letters; counts the prompts it encodes."""

    weights: str
    encoded: list[int]
    logit_scale: float = 50.0
    logit_bias: float = -1.5

    def identity(self) -> dict[str, Any]:
        """The weights."""
        return {"weights": self.weights}

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Code points, padded to 32."""
        rows = [[ord(letter) for letter in text[:32].ljust(32)] for text in texts]
        return torch.tensor(rows)

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """A fixed linear map of the tokens."""
        self.encoded.append(len(tokens))
        return (tokens.float() @ torch.linspace(-1, 1, 32 * WIDTH).reshape(32, WIDTH)) / 100


@dataclass(kw_only=True)
class FakeEncoder:
    """A strong encoder of two tensors; ``fail`` is called before each batch of images."""

    weights: str = "w0"
    preprocessing: str = "p0"
    scale: float = 1.0
    has_text: bool = True
    fail: Callable[[int], None] | None = None
    batches: list[int] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)

    @property
    def text(self) -> FakeText | None:
        """The text tower."""
        return FakeText(weights=self.weights, encoded=self.prompts) if self.has_text else None

    @property
    def widths(self) -> dict[str, int]:
        """Two tensors."""
        return {"features": WIDTH, "preprojection": 3}

    def identity(self) -> dict[str, Any]:
        """Weights and preprocessing."""
        return {"weights": self.weights, "preprocess": self.preprocessing}

    def preprocess(self, image: Image) -> torch.Tensor:
        """Eight by eight pixels in [0, 1]."""
        pixels = np.asarray(image.resize((8, 8)), dtype=np.float32)
        return torch.from_numpy(pixels.transpose(2, 0, 1) / 255)

    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Mean and maximum of each channel."""
        if self.fail is not None:
            self.fail(len(self.batches))
        self.batches.append(len(pixels))
        means, peaks = pixels.mean((2, 3)), pixels.amax((2, 3))
        features = torch.cat([means, peaks], dim=1) * self.scale
        return {"features": features, "preprojection": means}


@dataclass
class Listener:
    """Progress that remembers what was said and counted."""

    said: list[str] = field(default_factory=list)
    begun: list[tuple[str, int, int]] = field(default_factory=list)
    advanced: list[int] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Remember."""
        self.said.append(text)

    def begin(self, label: str, total: int, *, done: int = 0) -> None:
        """Remember."""
        self.begun.append((label, total, done))

    def advance(self, count: int) -> None:
        """Remember."""
        self.advanced.append(count)

    def end(self) -> None:
        """Nothing to remember."""


@dataclass(kw_only=True)
class Bench:
    """A data root, a cache home, and one call of extraction."""

    request: ExtractRequest
    encoder: FakeEncoder = field(default_factory=FakeEncoder)
    progress: Listener = field(default_factory=Listener)
    loaded: list[str] = field(default_factory=list)

    def run(self, **changes: Any) -> Extracted:
        """Extract the domain ``d`` with a changed request and fresh counters."""
        self.encoder.batches.clear()
        self.encoder.prompts.clear()
        self.loaded.clear()
        self.progress = Listener()

        def strong(device: str) -> FakeEncoder:
            self.loaded.append(device)
            return self.encoder

        request = replace(self.request, **changes)
        return extract_domain(request, "d", strong=strong, progress=self.progress)

    def feature_set(self, **changes: Any) -> FeatureSet:
        """The domain's feature set, as training reads it."""
        request = replace(self.request, **changes)
        return read_feature_set(
            request.home,
            dataset=request.spec.name,
            domain="d",
            strong=request.strong_name,
            weak=request.weak_name,
            request=feature_request(request.spec, strong=request.strong, weak=request.weak),
        )

    def stores(self, **changes: Any) -> dict[str, Store]:
        """The stores of the feature set by part."""
        found = self.feature_set(**changes)
        parts = {"image": found.image, "text": found.text, "logits": found.logits}
        home = replace(self.request, **changes).home
        return {name: open_member(home, ref) for name, ref in parts.items() if ref}

    def with_spec(self, **sections: Any) -> dict[str, Any]:
        """Changes of a request that put other fields into sections of its spec."""
        spec = self.request.spec
        updates = {
            name: getattr(spec, name).model_copy(update=fields)
            for name, fields in sections.items()
            if name in ("data", "store")
        }
        strong = self.request.strong.model_copy(update=sections.get("strong", {}))
        return {"spec": spec.model_copy(update=updates), "strong": strong}


def image_paths(root: Path) -> list[str]:
    """Relative paths of the domain's images, bytewise."""
    found = [path.relative_to(root).as_posix() for path in root.rglob("*.png")]
    return sorted(found, key=str.encode)


def write_logits(root: Path, file: Path, classes: int = 3) -> Path:
    """Made-up logits of all images, in reversed order."""
    paths = image_paths(root)
    logits = np.arange(len(paths) * classes, dtype=np.float32).reshape(len(paths), classes)
    np.savez(file, path=np.array(paths[::-1]), logits=logits[::-1])
    return file


@pytest.fixture(autouse=True)
def calm(one_thread: None) -> None:
    """Every test of this folder runs torch on one thread."""


@pytest.fixture
def bench(colours: Any, tmp_path: Path) -> Bench:
    """Twelve images of three classes, four rows a shard, weak logits imported."""
    root = colours(tmp_path / "images", "d", per_class=4)
    spec = Spec.model_validate(
        {
            "name": "tiny",
            "title": "Tiny",
            "data": {"format": "class-folders", "domains": ["d"]},
            "strong": {"fake": {"library": "fake", "model": "m", "batch_size": 3}},
            "weak": {"small": {"model": "test_resnet", "image_size": 16}},
            "store": {"shard_rows": 4},
        }
    )
    request = ExtractRequest(
        spec=spec,
        strong_name="fake",
        strong=spec.strong["fake"],
        weak_name="theirs",
        weak=None,
        weak_logits=write_logits(root, tmp_path / "logits.npz"),
        home=tmp_path / "home",
        root=root,
        device="cpu",
        workers=2,
    )
    return Bench(request=request)


@pytest.fixture
def listed() -> Callable[[Path], list[str]]:
    """The lister of a root's images."""
    return image_paths


@pytest.fixture
def progress() -> Listener:
    """Progress that remembers."""
    return Listener()
