"""Which part of a cache is meant: names of data set, domains and models, or folders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.cache.inventory import Inventory, SetEntry, domain_of, weights_of
from w2s_cache.errors import UnknownNameError
from w2s_cache.store.contents import StoreEntry
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.layout import slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Names that feature sets are chosen by; what is None or empty takes all.

    Attributes:
        dataset: Data set.
        domains: Domains.
        strong: Strong model.
        weak: Weak model.
    """

    dataset: str | None = None
    domains: tuple[str, ...] = ()
    strong: str | None = None
    weak: str | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is asked for by name."""
        return self == Selection()

    def takes(self, found: FeatureSet) -> bool:
        """Whether a feature set has all names that are asked for."""
        return (
            self.dataset in (None, found.dataset)
            and (not self.domains or found.domain in self.domains)
            and self.strong in (None, found.strong)
            and self.weak in (None, found.weak)
        )

    def covers(self, path: str) -> bool:
        """Whether everything at a path below the home is meant, whatever models made it."""
        if self.strong is not None or self.weak is not None:
            return False
        parts = path.split("/")
        folders = {slug(domain) for domain in self.domains}
        of_dataset = self.dataset is None or parts[1] == slug(self.dataset)
        return of_dataset and (not folders or parts[2] in folders)


def selected_sets(inventory: Inventory, selection: Selection) -> tuple[SetEntry, ...]:
    """The feature sets meant; unreadable ones where their folder is.

    Raises:
        UnknownNameError: A name that no feature set of the cache has.
    """
    known = [entry.found for entry in inventory.sets if entry.found is not None]
    of_dataset = [found for found in known if selection.dataset in (None, found.dataset)]
    _refuse("data set of the cache", (selection.dataset,), {found.dataset for found in known})
    place = f"domain of {selection.dataset or 'the cache'}"
    _refuse(place, selection.domains, {found.domain for found in of_dataset})
    _refuse("strong model of the cache", (selection.strong,), {f.strong for f in of_dataset})
    _refuse("weak model of the cache", (selection.weak,), {f.weak for f in of_dataset})
    return tuple(
        entry
        for entry in inventory.sets
        if (selection.takes(entry.found) if entry.found else selection.covers(entry.path))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is to be looked at: posix paths below the home, and why a store is needed at all."""

    home: Path
    sets: tuple[SetEntry, ...]
    stores: tuple[StoreEntry, ...]
    weak: tuple[str, ...]
    indexes: tuple[str, ...]
    needed: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """Size of all shards."""
        return sum(entry.bytes for entry in self.stores)


def scope_of(inventory: Inventory, selection: Selection) -> Scope:
    """What a selection means: feature sets with all that they need, and what lies beside them.

    Raises:
        UnknownNameError: A name that no feature set of the cache has.
    """
    sets = selected_sets(inventory, selection)
    wanted = {path for entry in sets for path in entry.needs}
    stores = [e for e in inventory.stores if e.path in wanted or selection.covers(e.path)]
    weights = {weights_of(entry) for entry in stores} - {""}
    domains = {domain_of(entry.path) for entry in sets}
    return Scope(
        home=inventory.home,
        sets=sets,
        stores=tuple(stores),
        weak=tuple(
            entry.path
            for entry in inventory.weak
            if entry.weights in weights or selection.covers(entry.path)
        ),
        indexes=tuple(
            path
            for path in inventory.indexes
            if domain_of(path) in domains or selection.covers(path)
        ),
        needed=inventory.needed(),
    )


def _refuse(kind: str, names: Iterable[str | None], known: Collection[str]) -> None:
    for name in names:
        if name is not None and name not in known:
            raise UnknownNameError(kind, name, known)
