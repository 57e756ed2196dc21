"""A whole extraction that takes milliseconds: few images, several shards, an encoder of means."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from w2s_cache.extract.domain import extract_domain
from w2s_cache.extract.progress import Silent
from w2s_cache.extract.request import Extracted, ExtractRequest
from w2s_cache.request import feature_request
from w2s_cache.spec import Spec
from w2s_cache.store.check import check_store
from w2s_cache.store.feature_set import read_feature_set
from w2s_cache.store.index import read_index
from w2s_cache.store.layout import index_path
from w2s_cache.train.inputs import load_inputs

DOMAIN, CLASSES, PER_CLASS, SHARD_ROWS = "d", ("blue", "green", "red"), 5, 4
ROWS = len(CLASSES) * PER_CLASS  # four shards, the last of three rows
BROKEN = f"{DOMAIN}/green/2.png"  # row 7, in the second shard
OLD = 1_700_000_000  # seconds; older than a moment, so that hashes of images are remembered
SPEC = {
    "name": "tiny",
    "title": "Tiny",
    "data": {"format": "class-folders", "domains": [DOMAIN], "test_fraction": 0.6},
    "strong": {"means": {"library": "means", "model": "m", "batch_size": 3}},
    "weak": {"small": {"model": "test_resnet", "image_size": 16}},
    "store": {"shard_rows": SHARD_ROWS},
    "train": {"epochs": 2, "batch_size": 4},
}


class SharedCount:
    """A number that a child process counts up and its parent reads, even after a kill."""

    def __init__(self) -> None:
        """Begins at zero, in memory that survives a fork."""
        self._memory = mmap.mmap(-1, 8)

    def add(self, more: int) -> None:
        """Counts ``more``."""
        self._memory[:8] = (self.value + more).to_bytes(8, "little")

    @property
    def value(self) -> int:
        """What was counted."""
        return int.from_bytes(self._memory[:8], "little")


class Means:
    """A strong encoder: the means of four quarters of the image, and a text tower of letters."""

    logit_scale, logit_bias = 14.285714285714285, 0.0
    widths: Mapping[str, int] = {"features": 12}

    def __init__(self, encoded: SharedCount) -> None:
        """Counts the images it encodes in ``encoded``."""
        self.encoded = encoded

    @property
    def text(self) -> Means:
        """The text tower: this object."""
        return self

    def identity(self) -> dict[str, Any]:
        """One field."""
        return {"weights": "means"}

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """Two by two pixels in [0, 1]."""
        pixels = np.asarray(image.resize((2, 2)), dtype=np.float32)
        return torch.from_numpy(pixels.transpose(2, 0, 1) / 255)

    def encode_images(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """The pixels."""
        self.encoded.add(len(pixels))
        return {"features": pixels.reshape(len(pixels), -1)}

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Code points, padded to twelve."""
        return torch.tensor([[ord(letter) for letter in text[-12:].ljust(12)] for text in texts])

    def encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Code points as hundredths."""
        return tokens.float() / 100


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """A data set below ``folder``, and one call that brings it into a cache home.

    Attributes:
        folder: Where images and imported logits lie.
        broken: Whether one of the images cannot be decoded; it is skipped.
        encoded: Images encoded by this process and its children.
    """

    folder: Path
    broken: bool = True
    encoded: SharedCount = field(default_factory=SharedCount)

    def prepare(self) -> Extraction:
        """Draws the images and makes up weak logits of them."""
        names = []
        for label, name in enumerate(CLASSES):
            for number in range(PER_CLASS):
                path = self.folder / "images" / DOMAIN / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = np.random.default_rng([label, number]).integers(0, 90, (6, 6, 3), np.uint8)
                pixels[..., label] += 120
                Image.fromarray(pixels).save(path)
                os.utime(path, (OLD, OLD))
                names.append(path.relative_to(self.folder / "images").as_posix())
        if self.broken:
            path = self.folder / "images" / BROKEN
            path.write_bytes(b"no image")
            os.utime(path, (OLD, OLD))
        logits = np.random.default_rng(0).normal(size=(ROWS, len(CLASSES))).astype(np.float32)
        np.savez(self.folder / "logits.npz", path=np.array(names), logits=logits)
        return self

    @property
    def spec(self) -> Spec:
        """What is asked for."""
        return Spec.model_validate(SPEC)

    @property
    def feature_request(self) -> dict[str, Any]:
        """The same in the words of a feature set."""
        return feature_request(self.spec, strong=self.spec.strong["means"], weak=None)

    def run(self, home: Path) -> Extracted:
        """Extracts the domain into ``home``, or what is missing of it."""
        request = ExtractRequest(
            spec=self.spec,
            strong_name="means",
            strong=self.spec.strong["means"],
            weak_name="theirs",
            weak=None,
            weak_logits=self.folder / "logits.npz",
            home=home,
            root=self.folder / "images",
            device="cpu",
            workers=1,
            on_error="skip" if self.broken else "stop",
        )
        encoder = Means(self.encoded)
        return extract_domain(request, DOMAIN, strong=lambda _: encoder, progress=Silent())

    def numbers(self, home: Path) -> dict[str, Any]:
        """Everything training reads, by name.

        Raises:
            W2SError: Something is missing or damaged.
        """
        pair = {"strong": "means", "weak": "theirs"}
        names = {"dataset": "tiny", "domain": DOMAIN, **pair}
        inputs = load_inputs(home, read_feature_set(home, **names, request=self.feature_request))
        assert inputs.text is not None
        index = inputs.index
        return {
            "features": inputs.features.numpy().tobytes(),
            "weak": inputs.weak_logits.numpy().tobytes(),
            "text": inputs.text.numpy().tobytes(),
            "scale": inputs.logit_scale,
            "valid": inputs.valid.tobytes(),
            "paths": index.paths,
            "classes": index.classes,
            "labels": index.labels.tobytes(),
            "train": index.is_train.tobytes(),
        }


def files(home: Path) -> dict[str, bytes]:
    """All that a whole extraction leaves, by relative path; ``created`` is taken out of JSON.

    Locks, notes of their owners, temporaries and the side file of sizes and times are not part.
    """
    found = {}
    for path in home.rglob("*"):
        name = path.name
        aside = name.startswith(".") or ".tmp-" in name or name == "stats.parquet"
        if path.is_file() and not aside:
            found[path.relative_to(home).as_posix()] = _undated(path)
    return found


def violations(home: Path) -> list[str]:
    """Every law of the format that a store or an index below ``home`` breaks."""
    stores = [path.parent for path in home.rglob("manifest.json")]
    read_index(index_path(home, "tiny", DOMAIN))
    return [str(broken) for store in stores for broken in check_store(store)]


def _undated(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".json":
        return content
    fields = json.loads(content)
    fields.pop("created", None)
    return json.dumps(fields).encode()
