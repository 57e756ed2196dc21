"""A feature cache of one synthetic domain, written with the store's own functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from w2s_cache.request import feature_request
from w2s_cache.spec import Spec, parse_spec
from w2s_cache.store.failures import RowFailure
from w2s_cache.store.feature_set import FeatureSet, StoreRef, read_feature_set, write_feature_set
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.index import Index, write_index
from w2s_cache.store.layout import ArraySpec, index_path
from w2s_cache.store.writer import open_writer
from w2s_cache.train.inputs import DomainInputs, load_inputs
from w2s_cache.train.outcome import RunFailure, RunOutcome
from w2s_cache.train.run import RunRequest, run
from w2s_cache.train.study import Study

SPEC = """
name = "toy"
title = "Toy"
methods = ["weak", "cpl"]
[data]
format = "class-folders"
[protocol]
seeds = [0, 1]
[strong.clip]
model = "ViT-B-32,none"
[weak.net]
model = "test_resnet"
[train]
epochs = 3
lr = 0.1
batch_size = 16
"""
CLASSES, ROWS, TRAIN_ROWS, WIDTH = ("cat", "dog", "fox", "owl"), 150, 50, 8


def toy_arrays() -> dict[str, np.ndarray]:
    """150 rows of 4 classes: features are noisy class centres, weak logits are right half the time.

    Of the 100 test rows 64 are fit, 16 val and 20 held out.
    """
    rng = np.random.default_rng(7)
    labels = np.arange(ROWS) % len(CLASSES)
    centres = rng.standard_normal((len(CLASSES), WIDTH))
    noisy = np.where(rng.random(ROWS) < 0.5, labels, rng.integers(0, len(CLASSES), ROWS))
    weak = 2 * np.eye(len(CLASSES))[noisy] + rng.normal(0, 0.3, (ROWS, len(CLASSES)))
    return {
        "labels": labels,
        "features": (centres[labels] + rng.normal(0, 0.6, (ROWS, WIDTH))).astype(np.float32),
        "weak": weak.astype(np.float32),
        "text": (centres + rng.normal(0, 0.5, centres.shape)).astype(np.float32)[:, None],
    }


@dataclass(frozen=True, kw_only=True)
class Toy:
    """One cached domain and everything to run on it."""

    home: Path
    results: Path
    arrays: dict[str, np.ndarray] = field(default_factory=toy_arrays)
    image_only: bool = False
    invalid: tuple[int, ...] = ()
    domain: str = "art"
    spec: Spec = field(default_factory=lambda: parse_spec(SPEC, origin="toy.toml"))

    def write(self) -> Toy:
        """Fills the cache home."""
        index = Index(
            dataset="toy",
            domain=self.domain,
            classes=CLASSES,
            paths=tuple(f"{self.domain}/{row:03}.png" for row in range(ROWS)),
            labels=self.arrays["labels"],
            is_train=np.arange(ROWS) < TRAIN_ROWS,
            sizes=np.full(ROWS, 10),
            sha256=("0" * 64,) * ROWS,
        )
        path = index_path(self.home, "toy", self.domain)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_index(path, index)
        text = {
            "features": self.arrays["text"],
            "tokens": np.ones((*self.arrays["text"].shape[:2], 3), np.int32),
        }
        names = {"dataset": "toy", "domain": self.domain, "strong": "clip", "weak": "net"}
        asked = feature_request(
            self.spec, strong=self.spec.strong["clip"], weak=self.spec.weak["net"]
        )
        found = FeatureSet(
            **names,
            request=asked,
            index_digest=index.digest,
            image=self._store("image", {"features": self.arrays["features"]}),
            logits=self._store("logits", {"logits": self.arrays["weak"]}),
            text=None if self.image_only else self._store("text", text),
            created="2026-01-01T00:00:00+00:00",
        )
        write_feature_set(self.home, found)
        return self

    def _store(self, kind: str, arrays: Mapping[str, np.ndarray]) -> StoreRef:
        content = {n: hashlib.sha256(a.tobytes()).hexdigest() for n, a in arrays.items()}
        facts = {"logit_scale": 100.0, "logit_bias": 0.0} if kind == "text" else {}
        key = {"kind": kind, "content": content, "invalid": self.invalid, **facts}
        directory = self.home / "v1" / "toy" / self.domain / kind / digest(key)[:12]
        rows = len(next(iter(arrays.values())))
        specs = [
            ArraySpec(name=name, row_shape=array.shape[1:], dtype=array.dtype.name)
            for name, array in arrays.items()
        ]
        with open_writer(
            directory, kind=kind, key=key, rows=rows, arrays=specs, attributes=facts
        ) as writer:
            gone = self.invalid if kind == "image" else ()
            for start, stop in writer.missing():
                part = {n: a[start:stop] for n, a in arrays.items()}
                writer.write(start, part, failures=[self._failure(row) for row in gone])
        return StoreRef(path=directory.relative_to(self.home).as_posix(), key_digest=digest(key))

    def _failure(self, row: int) -> RowFailure:
        path = f"{self.domain}/{row:03}.png"
        return RowFailure(row=row, path=path, stage="decode", error="ImageError", message="empty")

    def features(self) -> FeatureSet:
        """The feature set, as training finds it."""
        strong, weak = self.spec.strong["clip"], self.spec.weak["net"]
        asked = feature_request(self.spec, strong=strong, weak=weak)
        names = {"dataset": "toy", "domain": self.domain, "strong": "clip", "weak": "net"}
        return read_feature_set(self.home, **names, request=asked)

    def inputs(self, **limits: Any) -> DomainInputs:
        """Everything training reads."""
        return load_inputs(self.home, self.features(), **limits)

    def run(
        self,
        method: str,
        *,
        seed: int = 0,
        inputs: DomainInputs | None = None,
        say: Callable[[str], None] = lambda _: None,
        **options: Any,
    ) -> RunOutcome:
        """One run; its record lies below ``results``."""
        request = RunRequest(
            spec=self.spec,
            features=self.features(),
            method=method,
            seeds=(seed,),
            options=options,
            device="cpu",
            say=say,
        )
        [outcome] = run(request, inputs or self.inputs(), self.results)
        if isinstance(outcome, RunFailure):
            raise outcome.error
        return outcome

    def with_protocol(self, **changes: Any) -> Toy:
        """The same cache under another protocol."""
        protocol = self.spec.protocol.model_copy(update=changes)
        return replace(self, spec=self.spec.model_copy(update={"protocol": protocol}))

    def study(self, **changes: Any) -> Study:
        """Every method of the spec on this domain."""
        plain: dict[str, Any] = {
            "spec": self.spec,
            "strong_name": "clip",
            "strong": self.spec.strong["clip"],
            "weak_name": "net",
            "weak": self.spec.weak["net"],
            "domains": (self.domain,),
            "methods": self.spec.methods,
            "seeds": self.spec.protocol.seeds,
            "options": {},
            "device": "cpu",
        }
        return Study(**{**plain, **changes})


def relabelled(inputs: DomainInputs, rows: np.ndarray) -> DomainInputs:
    """The same inputs with the ground truth of some rows moved on by one class."""
    labels = inputs.index.labels.copy()
    labels[rows] = (labels[rows] + 1) % len(CLASSES)
    names = [n for n in Index.__dataclass_fields__ if n not in {"digest", "images_digest"}]
    kept = {name: getattr(inputs.index, name) for name in names}
    index = Index(**{**kept, "labels": labels})
    digests = {**inputs.digests, "index_digest": index.digest}
    return replace(inputs, index=index, digests=digests)


def head_bits(outcome: RunOutcome) -> bytes:
    """The trained tensors' file; empty when nothing was trained."""
    file = outcome.directory / "head.safetensors"
    return file.read_bytes() if file.is_file() else b""


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny tensors gain nothing from threads, and busy machines lose a lot."""
    torch.set_num_threads(1)


@pytest.fixture
def make_toy(tmp_path: Path):
    """Builds and writes a cache: ``make_toy(image_only=True)``."""

    def make(name: str = "home", **changes: Any) -> Toy:
        return Toy(home=tmp_path / name, results=tmp_path / "results", **changes).write()

    return make


@pytest.fixture
def toy(make_toy) -> Toy:
    """The plain cache."""
    return make_toy()


@pytest.fixture
def relabel():
    """Moves the ground truth of some rows on by one class."""
    return relabelled


@pytest.fixture
def bits():
    """The bytes of a run's trained head."""
    return head_bits
