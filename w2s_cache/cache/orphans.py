"""What nothing in a cache needs any more."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.cache.boundary import inside
from w2s_cache.cache.inventory import (
    Inventory,
    domain_of,
    same_place,
    take_inventory,
    weights_of,
)
from w2s_cache.cache.live import writer_of
from w2s_cache.cache.removal import Kept, Plan, Removal, size_of
from w2s_cache.counted import counted
from w2s_cache.store.contents import StoreEntry
from w2s_cache.store.kinds import KINDS
from w2s_cache.store.layout import (
    LOCK_FILE,
    MANIFEST_FILE,
    OWNER_FILE,
    SOFT_LOCK_FILE,
    TEMPORARY_MARK,
)

_OF_WRITERS = (LOCK_FILE, SOFT_LOCK_FILE, OWNER_FILE)

INDEX_FILES = ("index.parquet", "stats.parquet")
HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GcRules:
    """How careful to be.

    Attributes:
        min_age: Seconds that something must have lain untouched: between two parts of an
            extraction nobody holds a lock, and its first part is not referred to yet.
        unfinished: Whether the incomplete stores of interrupted extractions are removed too,
            instead of being kept for the same command to go on from.
    """

    min_age: float = HOUR
    unfinished: bool = False


def plan_gc(home: Path, rules: GcRules) -> Plan:
    """Plans the removal of orphans: what no feature set, of whatever request, needs.

    Removed are stores, the files of shards that no manifest lists, folders of stores without a
    manifest, temporary files, fine-tuned weak models whose logits are gone, and the index of a
    domain without features. Kept is all of a domain in which somebody writes, in which an
    extraction is unfinished, or with a feature set that cannot be read.
    """
    inventory = take_inventory(home)
    survey = _Survey(inventory=inventory, rules=rules, now=time.time())
    verdicts = [*survey.stores(), *survey.rubble()]
    gone = _removed(verdicts)
    verdicts += survey.weak(gone)
    gone = _removed(verdicts)
    verdicts += [*survey.strays(gone), *survey.temporary(gone), *survey.indexes(gone)]
    return Plan(
        remove=tuple(v for v in verdicts if isinstance(v, Removal)),
        keep=tuple(v for v in verdicts if isinstance(v, Kept)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    inventory: Inventory
    rules: GcRules
    now: float

    def stores(self) -> Iterator[Removal | Kept]:
        """A verdict on each store that no feature set refers to."""
        needed = self.inventory.needed()
        for entry in self.inventory.stores:
            if entry.path not in needed:
                whole = "unfinished store" if _unfinished(entry) else "store"
                yield self._judge(entry.path, whole, "no feature set refers to it")

    def rubble(self) -> Iterator[Removal | Kept]:
        """A verdict on each folder of a store that has no manifest."""
        known = {entry.path for entry in self.inventory.stores}
        for kind in KINDS:
            pattern = "*/text/*/" if kind == "text" else f"*/*/{kind}/*/"
            for folder in sorted((self.inventory.home / "v1").glob(pattern)):
                path = folder.relative_to(self.inventory.home).as_posix()
                if path not in known and not (folder / MANIFEST_FILE).exists():
                    yield self._judge(path, "remains of a store", "it has no manifest")

    def weak(self, gone: set[str]) -> Iterator[Removal | Kept]:
        """A verdict on each weak model from which no logits that stay were computed."""
        used = {weights_of(entry) for entry in self.inventory.stores if entry.path not in gone}
        for entry in self.inventory.weak:
            if entry.weights in used and entry.weights:
                continue
            if unknown := self._unreadable_logits(entry.path, gone):
                why = f"the manifest of {unknown} cannot be read, which may come from it"
                yield Kept(path=entry.path, why=why)
            else:
                yield self._judge(entry.path, "weak model", "no logits in use come from it")

    def _unreadable_logits(self, weak: str, gone: set[str]) -> str:
        """Logits of the weak model's domain that stay and do not say which model's they are."""
        logits = f"{weak.rpartition('/weak/')[0]}/logits/"
        stores = self.inventory.stores
        unread = (e.path for e in stores if e.manifest is None and e.path not in gone)
        return next((path for path in unread if path.startswith(logits)), "")

    def strays(self, gone: set[str]) -> Iterator[Removal | Kept]:
        """A verdict on each temporary file and unlisted shard inside a store that stays."""
        for entry in self.inventory.stores:
            folder = self.inventory.home / entry.path
            for file in () if entry.path in gone else sorted(folder.iterdir()):
                reason = _stray(entry, file)
                if reason:
                    path = f"{entry.path}/{file.name}"
                    writer = writer_of(folder)
                    why = f"{writer} writes into that store"
                    yield (
                        Kept(path=path, why=why)
                        if writer
                        else self._removal(path, "stray file", reason)
                    )

    def temporary(self, gone: set[str]) -> Iterator[Removal | Kept]:
        """A verdict on each temporary file elsewhere, which no lock vouches for, by its age."""
        home = self.inventory.home
        stores = {entry.path for entry in self.inventory.stores} | gone
        for file in sorted((home / "v1").rglob(f"*{TEMPORARY_MARK}*")):
            path = file.relative_to(home).as_posix()
            if file.is_file() and path.rpartition("/")[0] not in stores:
                young = self._young(file)
                yield young or self._removal(path, "temporary file", "its writer is gone")

    def indexes(self, gone: set[str]) -> Iterator[Removal | Kept]:
        """A verdict on the index and the file times of each domain that has nothing else left."""
        alive = {domain_of(entry.path) for entry in self.inventory.sets}
        alive |= {domain_of(path) for path in self.inventory.folders if path not in gone}
        for name in INDEX_FILES:
            for file in sorted((self.inventory.home / "v1").glob(f"*/*/{name}")):
                path = file.relative_to(self.inventory.home).as_posix()
                if domain_of(path) not in alive:
                    yield self._judge(path, "index", "its domain has no features")

    def _judge(self, path: str, kind: str, why: str) -> Removal | Kept:
        home = self.inventory.home
        target = home / path
        if not inside(home, target) or target.is_symlink():
            return Kept(path=path, why="a link leads to it")
        if within := self._below(path):
            return Kept(path=path, why=f"{within} lies in it")
        writer = writer_of(target) if target.is_dir() else None
        reason = f"{writer} writes into it" if writer else self._busy(path)
        if reason:
            return Kept(path=path, why=reason)
        return self._young(target) or self._removal(path, kind, why)

    def _below(self, path: str) -> str:
        """A feature set, or a store or weak model with its own verdict, in a folder; else empty."""
        known = (*(entry.path for entry in self.inventory.sets), *self.inventory.folders)
        return next((other for other in known if other.startswith(f"{path}/")), "")

    def _busy(self, path: str) -> str:
        """Why a whole domain is left alone; a text store belongs to all domains of its data set."""
        for broken in self.inventory.sets:
            if broken.found is None and same_place(broken.path, path):
                return f"{broken.path} cannot be read and may need it; see `w2s-cache cache verify`"
        for folder in self.inventory.folders:
            near = same_place(folder, path)
            if near and (writer := writer_of(self.inventory.home / folder)):
                return f"{writer} writes into {folder}"
        for entry in () if self.rules.unfinished else self.inventory.stores:
            if same_place(entry.path, path) and _unfinished(entry):
                return f"extraction is unfinished in {entry.path} (--unfinished removes it)"
        return ""

    def _young(self, path: Path) -> Kept | None:
        files = [path] if path.is_file() else [*path.iterdir()]
        files = [file for file in files if file.name not in _OF_WRITERS] or [path]
        age = self.now - max(file.lstat().st_mtime for file in files)
        if age >= self.rules.min_age:
            return None
        shown = path.relative_to(self.inventory.home).as_posix()
        limit = self.rules.min_age / 60
        old = counted(round(max(age, 0) / 60), "minute")
        why = f"it is {old} old, less than {limit:g} (--min-age)"
        return Kept(path=shown, why=why)

    def _removal(self, path: str, kind: str, why: str) -> Removal:
        size = size_of(self.inventory.home / path)
        return Removal(path=path, kind=kind, bytes=size, why=why)


def _removed(verdicts: Iterable[Removal | Kept]) -> set[str]:
    return {verdict.path for verdict in verdicts if isinstance(verdict, Removal)}


def _unfinished(entry: StoreEntry) -> bool:
    return entry.manifest is not None and not entry.manifest.complete


def _stray(entry: StoreEntry, file: Path) -> str:
    """Why a file does not belong to its store; empty when it does or when nobody can tell."""
    if TEMPORARY_MARK in file.name:
        return "its writer is gone"
    listed = {shard.file for shard in entry.manifest.shards} if entry.manifest else None
    unlisted = listed is not None and file.match("part-*.h5") and file.name not in listed
    return "the manifest does not list it" if unlisted else ""
