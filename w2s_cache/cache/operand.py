"""What a person means by a path of the cache: a store or a feature set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import hexdigits

from w2s_cache.counted import counted
from w2s_cache.errors import StoreError
from w2s_cache.store.contents import StoreEntry, list_stores
from w2s_cache.store.feature_set import FeatureSet, load_feature_set
from w2s_cache.store.layout import MANIFEST_FILE, Manifest
from w2s_cache.store.reader import read_manifest

_FEWEST_DIGITS = 4  # a shorter name is rather a misspelt path


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

    A store of the home may also be named by its digest, or the first four digits of it or more, as
    `w2s-cache ls` prints them; a path of that name comes first.

    Raises:
        StoreError: Nothing is there, it is neither, or several digests begin so.
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
    if store := _of_digest(str(named), home):
        return StoreOperand(directory=store, manifest=read_manifest(store))
    raise StoreError(
        f"cannot compare {named}",
        expected="a store's folder or digest (four digits of it or more), or a feature set's file, "
        "here or below the cache",
        found="something else" if found else f"nothing of that name or digest here or in {home}",
        fix="See `w2s-cache ls` for stores; feature sets are v1/<data set>/<domain>/sets/*.json.",
    )


def _of_digest(start: str, home: Path) -> Path | None:
    """The folder of the one store of the home whose digest begins so; None where there is none."""
    if len(start) < _FEWEST_DIGITS or set(start) - set(hexdigits):
        return None
    fitting = [e.path for e in list_stores(home) if _digest(e).startswith(start.lower())]
    if len(fitting) > 1:
        raise StoreError(
            f"{start} does not name one store",
            expected="the beginning of one store's digest",
            found=f"{counted(len(fitting), 'store')}: {', '.join(fitting)}",
            fix="Give more digits, or the path of one of them.",
        )
    return home / fitting[0] if fitting else None


def _digest(entry: StoreEntry) -> str:
    """A store's digest; where the manifest is damaged, its first digits, which the folder bears."""
    return entry.manifest.key_digest if entry.manifest else entry.path.rpartition("-")[2]
