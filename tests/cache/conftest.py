"""A cache home of small numbers: two domains, two strong models, one weak model each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from w2s_cache.cache.inventory import take_inventory
from w2s_cache.cache.pack import write_pack
from w2s_cache.cache.unpack import unpack
from w2s_cache.encoders.weights import weights_digest
from w2s_cache.store.casting import stored_form
from w2s_cache.store.feature_set import FeatureSet, StoreRef, write_feature_set
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.grid import shard_file, shard_ranges
from w2s_cache.store.index import Index, write_index
from w2s_cache.store.layout import MANIFEST_FILE, ArraySpec, Manifest, Shard, index_path, store_path
from w2s_cache.store.manifest_json import manifest_to_json
from w2s_cache.store.shard import ShardHeader, content_digest, shard_bytes
from w2s_cache.store.writer import open_writer

CLASSES = ("ärger", "b", "c")
ROWS, SHARD_ROWS = 10, 4
LONG_AGO = 1_700_000_000
SET = "v1/toy/art/sets/clip__net.json"


@dataclass(frozen=True, kw_only=True)
class Home:
    """Writes parts of a cache home whose numbers follow from names alone."""

    path: Path

    def index(self, domain: str) -> Index:
        """Ten rows, published."""
        made = Index(
            dataset="toy",
            domain=domain,
            classes=CLASSES,
            paths=tuple(f"{domain}/ärger {row:02}.png" for row in range(ROWS)),
            labels=np.arange(ROWS) % 3,
            is_train=np.arange(ROWS) < 6,
            sizes=np.full(ROWS, 7),
            sha256=tuple(f"{row:064x}" for row in range(ROWS)),
        )
        write_index(index_path(self.path, "toy", domain), made)
        return made

    def store(self, kind: str, name: str, domain: str | None = None, **more: object) -> StoreRef:
        """A complete store; ``more`` goes into its key."""
        rows = len(CLASSES) if kind == "text" else ROWS
        key = {"kind": kind, "encoder": {"name": name}, **more}
        where = store_path(
            self.path, dataset="toy", kind=kind, name=name, key_digest=digest(key), domain=domain
        )
        with open_writer(
            where,
            kind=kind,
            key=key,
            rows=rows,
            arrays=self.arrays(kind),
            shard_rows=SHARD_ROWS,
            attributes={"domain": domain} if domain else {"logit_scale": 1.0},
        ) as writer:
            for start, stop in writer.missing():
                writer.write(start, self.block(kind, start, stop))
        return StoreRef(path=where.relative_to(self.path).as_posix(), key_digest=digest(key))

    def arrays(self, kind: str) -> list[ArraySpec]:
        """What a store of a kind holds."""
        if kind == "image":
            return [
                ArraySpec(name="features", row_shape=(4,), dtype="float16"),
                ArraySpec(name="preprojection", row_shape=(6,), dtype="float32"),
            ]
        if kind == "logits":
            return [ArraySpec(name="logits", row_shape=(3,), dtype="float32")]
        return [
            ArraySpec(name="features", row_shape=(2, 4), dtype="float32"),
            ArraySpec(name="tokens", row_shape=(2, 5), dtype="int32"),
        ]

    def block(self, kind: str, start: int, stop: int) -> dict[str, np.ndarray]:
        """Rows [start, stop): noise whose seed is the row."""
        made = {}
        for spec in self.arrays(kind):
            rows = [
                np.random.default_rng(row).normal(size=spec.row_shape) for row in range(start, stop)
            ]
            values = np.stack(rows)
            made[spec.name] = (values * 9).astype(np.int64) if spec.dtype == "int32" else values
        return made

    def weak_model(self, domain: str) -> str:
        """A fine-tuned weak model as files; returns the digest of its weights."""
        key = {"kind": "weak", "domain": domain}
        folder = self.path / "v1" / "toy" / domain / "weak" / f"net-{digest(key)[:12]}"
        folder.mkdir(parents=True)
        state = {"w": torch.arange(3.0) + len(domain)}
        save_file(state, folder / "weights.safetensors")
        facts = {"key": key, "weights": weights_digest(state)}
        (folder / "weak.json").write_text(json.dumps(facts))
        return facts["weights"]

    def feature_set(self, domain: str, strong: str = "clip") -> Path:
        """A whole feature set with all that it needs."""
        index = self.index(domain)
        folder = self.path / "v1" / "toy" / domain / "weak"
        known = json.loads(next(folder.glob("*/weak.json")).read_text()) if folder.exists() else {}
        weights = known.get("weights") or self.weak_model(domain)
        logits = self.store("logits", "net", domain, encoder={"weights": weights})
        found = FeatureSet(
            dataset="toy",
            domain=domain,
            strong=strong,
            weak="net",
            request={"strong": {"model": strong}},
            index_digest=index.digest,
            image=self.store("image", strong, domain, images=index.images_digest),
            logits=logits,
            text=self.store("text", strong),
            created="2025-01-01T00:00:00+00:00",
        )
        return write_feature_set(self.path, found)

    def age(self) -> None:
        """Make every file old."""
        for file in self.path.rglob("*"):
            os.utime(file, (LONG_AGO, LONG_AGO))

    def listing(self) -> set[str]:
        """Every file below the home by path; locks come and go, so they do not count."""
        files = (f for f in self.path.rglob("*") if f.is_file() and f.suffix != ".lock")
        return {file.relative_to(self.path).as_posix() for file in files}


def lay_down(
    directory: Path,
    specs: Sequence[ArraySpec],
    values: Mapping[str, np.ndarray],
    *,
    valid: np.ndarray,
    kind: str = "image",
    key: Mapping[str, object] | None = None,
    shard_rows: int = SHARD_ROWS,
) -> Path:
    """A store whose rows may be invalid, as files; no reason of an invalid row is written."""
    key, rows, shards = dict(key or {}), len(valid), []
    directory.mkdir(parents=True)
    for start, stop in shard_ranges(rows, shard_rows):
        part = valid[start:stop]
        stored = {
            spec.name: stored_form(spec, values[spec.name][start:stop], valid=part, start=start)
            for spec in specs
        }
        header = ShardHeader(kind=kind, key_digest=digest(key), start=start, stop=stop)
        content = shard_bytes(header, stored, valid=part)
        name = shard_file(start, shard_rows)
        (directory / name).write_bytes(content)
        sized = {"bytes": len(content), "digest": content_digest(content)}
        shards.append(Shard(file=name, start=start, stop=stop, **sized))
    manifest = Manifest(
        kind=kind,
        key=key,
        rows=rows,
        shard_rows=shard_rows,
        arrays=tuple(specs),
        shards=tuple(shards),
        attributes={},
        created="2025-01-01T00:00:00+00:00",
        tool={},
    )
    (directory / MANIFEST_FILE).write_text(manifest_to_json(manifest))
    return directory


@pytest.fixture
def laid_down() -> Callable[..., Path]:
    """A function that writes a store with a mask of valid rows."""
    return lay_down


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    """A home without anything."""
    return Home(path=tmp_path / "cache höme")


@pytest.fixture
def home(empty: Home) -> Home:
    """Domains art and photo with the strong models clip and siglip, all files old."""
    for domain in ("art", "photo"):
        for strong in ("clip", "siglip"):
            empty.feature_set(domain, strong)
    empty.age()
    return empty


@pytest.fixture
def packed() -> Callable[..., Path]:
    """A function: a feature set, that of art with clip unless named, packed into a file."""

    def pack_one(into: Home, target: Path, path: str = SET, *, replace: bool = False) -> Path:
        [entry] = [entry for entry in take_inventory(into.path).sets if entry.path == path]
        write_pack(into.path, entry, target, replace=replace, advance=lambda _: None)
        return target

    return pack_one


@pytest.fixture
def pack(home: Home, packed: Callable[..., Path], tmp_path: Path) -> Path:
    """The pack of art with clip."""
    return packed(home, tmp_path / "out" / "art.h5")


@pytest.fixture
def unpacked() -> Callable[..., list[str]]:
    """A function: unpacks and returns what was said."""

    def unpack_one(pack: Path, target: Path, *, replace: bool = False) -> list[str]:
        said: list[str] = []
        unpack(pack, target, replace=replace, say=said.append, advance=lambda _: None)
        return said

    return unpack_one
