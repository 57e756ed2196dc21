"""What a person means by a path of the cache: a store or a feature set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from w2s_cache.errors import StoreError
from w2s_cache.store.feature_set import FeatureSet, load_feature_set
from w2s_cache.store.layout import MANIFEST_FILE, Manifest
from w2s_cache.store.reader import read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOperand:
    """A store: its folder and what its manifest says."""

    directory: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOperand:
    """A feature set: its file, the cache home it lies in, and what it says."""

    file: Path
    home: Path
    found: FeatureSet


def operand(named: Path, home: Path) -> StoreOperand | SetOperand:
    """The store or feature set that a path means, as given or below the cache home.

    Raises:
        StoreError: Nothing is there, or it is neither.
        CorruptStoreError: Its manifest, or the feature set, is damaged.
    """
    found = [path for path in (named, home / named) if path.exists()]
    for path in found:
        if path.is_file() and path.suffix == ".json" and path.parent.name == "sets":
            whole = path.resolve()
            return SetOperand(file=path, home=whole.parents[4], found=load_feature_set(path))
        folder = path.parent if path.name == MANIFEST_FILE else path
        if (folder / MANIFEST_FILE).is_file():
            return StoreOperand(directory=folder, manifest=read_manifest(folder))
    raise StoreError(
        f"cannot compare {named}",
        expected="a store's folder or a feature set's file, here or below the cache",
        found="something else" if found else f"nothing of that name here or in {home}",
        fix="See `w2s-cache ls` for stores; feature sets are v1/<data set>/<domain>/sets/*.json.",
    )
