"""Everything below a cache home, and which of it needs which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.contents import StoreEntry, list_stores
from w2s_cache.store.feature_set import FeatureSet, StoreRef, load_feature_set
from w2s_cache.store.regular_file import read_regular
from w2s_cache.store.shallow_json import parse_json
from w2s_cache.weak.checkpoint_files import KEY_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEntry:
    """One feature set: its file below the home, what it says, or why it cannot be read."""

    path: str
    found: FeatureSet | None
    problem: str

    @property
    def needs(self) -> tuple[str, ...]:
        """Paths of the stores it refers to, relative to the home."""
        refs = (self.found.image, self.found.logits, self.found.text) if self.found else ()
        return tuple(store_of(ref) for ref in refs if ref is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakEntry:
    """One fine-tuned weak model: its folder below the home and the digest of its weights.

    ``weights`` is empty where the folder's own note cannot be read.
    """

    path: str
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All stores, feature sets, fine-tuned weak models and indexes of a home, each by path.

    Paths are posix and relative to the home.
    """

    home: Path
    stores: tuple[StoreEntry, ...]
    sets: tuple[SetEntry, ...]
    weak: tuple[WeakEntry, ...]
    indexes: tuple[str, ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """Paths of what a writers' lock may protect: stores and weak models."""
        return (*(entry.path for entry in self.stores), *(entry.path for entry in self.weak))

    def needed(self) -> dict[str, str]:
        """Path of every store that a feature set refers to → path of the first such set."""
        found: dict[str, str] = {}
        for entry in self.sets:
            for path in entry.needs:
                found.setdefault(path, entry.path)
        return found


def take_inventory(home: Path) -> Inventory:
    """Read the manifests and the small JSON files of a home; no shard is opened."""
    base = home / "v1"
    return Inventory(
        home=home,
        stores=tuple(list_stores(home)),
        sets=tuple(_sets(home)),
        weak=tuple(_weak(home)),
        indexes=tuple(_below(home, file) for file in sorted(base.glob("*/*/index.parquet"))),
    )


def store_of(ref: StoreRef) -> str:
    """The path of a store as `list_stores` writes it."""
    return PurePosixPath(ref.path).as_posix()


def domain_of(path: str) -> tuple[str, str]:
    """(data set, domain) folders of something below the home; the domain of texts is empty."""
    parts = PurePosixPath(path).parts
    dataset, domain = parts[1], parts[2] if len(parts) > 2 else ""
    return dataset, "" if domain == "text" else domain


def same_place(path: str, other: str) -> bool:
    """Whether two paths below the home are of one domain; texts are of all of their data set."""
    (dataset, domain), (its, where) = domain_of(path), domain_of(other)
    return dataset == its and (domain == where or not domain or not where)


def weights_of(entry: StoreEntry) -> str:
    """Digest of the weak model that computed a logits store; empty for every other store."""
    if entry.manifest is None or entry.manifest.kind != "logits":
        return ""
    encoder = entry.manifest.key.get("encoder")
    return str(encoder.get("weights", "")) if isinstance(encoder, dict) else ""


def _sets(home: Path) -> Iterator[SetEntry]:
    for file in sorted((home / "v1").glob("*/*/sets/*__*.json")):
        path = _below(home, file)
        try:
            yield SetEntry(path=path, found=load_feature_set(file), problem="")
        except CorruptStoreError as error:
            yield SetEntry(path=path, found=None, problem=str(error))


def _weak(home: Path) -> Iterator[WeakEntry]:
    for folder in sorted((home / "v1").glob("*/*/weak/*/")):
        try:
            weights = str(parse_json(read_regular(folder / KEY_FILE))["weights"])
        except (OSError, ValueError, LookupError, TypeError):
            weights = ""
        yield WeakEntry(path=_below(home, folder), weights=weights)


def _below(home: Path, path: Path) -> str:
    return path.relative_to(home).as_posix()
