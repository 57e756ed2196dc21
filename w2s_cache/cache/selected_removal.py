"""Removing feature sets and stores that a person names, with what nothing else needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.cache.inventory import (
    Inventory,
    SetEntry,
    domain_of,
    same_place,
    weights_of,
)
from w2s_cache.cache.live import writer_of
from w2s_cache.cache.orphans import INDEX_FILES
from w2s_cache.cache.removal import Kept, Plan, Removal, size_of
from w2s_cache.command_line import command_line
from w2s_cache.errors import StoreError
from w2s_cache.store.contents import StoreEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a person named, by path below the home."""

    sets: frozenset[str]
    stores: frozenset[str]
    weak: frozenset[str]


def named_below(inventory: Inventory, paths: Sequence[str], sets: Sequence[SetEntry]) -> Named:
    """Everything that is one of the paths or lies below one, and some feature sets chosen by name.

    Raises:
        StoreError: A path is, and holds, neither a feature set nor a store nor a weak model.
    """

    def of(entries: Sequence[str], path: str) -> frozenset[str]:
        return frozenset(e for e in entries if e == path or e.startswith(f"{path}/"))

    found = [frozenset(entry.path for entry in sets), frozenset[str](), frozenset[str]()]
    known = (inventory.sets, inventory.stores, inventory.weak)
    for path in paths:
        parts = [of([entry.path for entry in entries], path) for entries in known]
        if not any(parts):
            raise StoreError(
                f"{path} is not removed",
                expected="a feature set, a store, a weak model, or a folder that holds some",
                found="something else",
                fix="See `w2s-cache ls` for stores; feature sets are <domain>/sets/*.json. What is "
                "left over otherwise, `w2s-cache cache gc` removes.",
            )
        found = [before | part for before, part in zip(found, parts, strict=True)]
    return Named(sets=found[0], stores=found[1], weak=found[2])


def plan_removal(inventory: Inventory, named: Named) -> Plan:
    """Plans the removal of what was named and of what only that needed.

    A store that another feature set needs is kept, and so is one of a domain with a feature set
    that cannot be read, unless that is named too; where the store itself was named, that is an
    error. Feature sets come first: none ever refers to a store that is gone.

    Raises:
        StoreError: Something else needs a store that was named, or somebody writes into one that
            would be removed.
    """
    remaining = [entry for entry in inventory.sets if entry.path not in named.sets]
    removed = [entry for entry in inventory.sets if entry.path in named.sets]
    wanted = named.stores | {path for entry in removed for path in entry.needs}
    verdicts: list[Removal | Kept] = [
        _removal(inventory.home, entry.path, "feature set", "named") for entry in removed
    ]
    stores = [entry for entry in inventory.stores if entry.path in wanted]
    for entry in stores:
        verdict = _verdict(inventory.home, entry, remaining, named)
        if isinstance(verdict, Kept) and verdict.path in named.stores:
            raise _needed(verdict, remaining)
        verdicts.append(verdict)
    gone = {verdict.path for verdict in verdicts if isinstance(verdict, Removal)}
    weak = [*_weak(inventory, gone, named)]
    gone |= {verdict.path for verdict in weak}
    verdicts += [*weak, *_indexes(inventory, gone)]
    for verdict in verdicts:
        if isinstance(verdict, Removal):
            _refuse_written(inventory.home / verdict.path)
    return Plan(
        remove=tuple(v for v in verdicts if isinstance(v, Removal)),
        keep=tuple(v for v in verdicts if isinstance(v, Kept)),
    )


def _verdict(
    home: Path, entry: StoreEntry, remaining: Sequence[SetEntry], named: Named
) -> Removal | Kept:
    for other in remaining:
        if entry.path in other.needs:
            return Kept(path=entry.path, why=f"{other.path} needs it")
        if other.found is None and same_place(other.path, entry.path):
            return Kept(path=entry.path, why=f"{other.path} cannot be read and may need it")
    why = "named" if entry.path in named.stores else "nothing else needs it"
    return _removal(home, entry.path, "store", why)


def _needed(kept: Kept, remaining: Sequence[SetEntry]) -> StoreError:
    needing = [
        other.path
        for other in remaining
        if kept.path in other.needs or (other.found is None and same_place(other.path, kept.path))
    ]
    command = command_line("cache", "rm", *needing, kept.path)
    return StoreError(
        f"{kept.path} is not removed, and nothing else is",
        expected="a store that no feature set needs, beside those that are removed",
        found=kept.why,
        fix=f"To remove them too, run `{command}`.",
    )


def _weak(inventory: Inventory, gone: set[str], named: Named) -> Iterator[Removal]:
    """Weak models that were named, and those whose last logits go."""
    before = {weights_of(entry) for entry in inventory.stores if entry.path in gone}
    after = {weights_of(entry) for entry in inventory.stores if entry.path not in gone}
    for entry in inventory.weak:
        if entry.path in named.weak:
            yield _removal(inventory.home, entry.path, "weak model", "named")
        elif entry.weights and entry.weights in before - after:
            yield _removal(inventory.home, entry.path, "weak model", "its logits go")


def _indexes(inventory: Inventory, gone: set[str]) -> Iterator[Removal]:
    """Index and file times of the domains in which nothing is left."""
    parts = (*(entry.path for entry in inventory.sets), *inventory.folders)
    alive = {domain_of(path) for path in parts if path not in gone}
    for dataset, domain in sorted({domain_of(path) for path in gone} - alive):
        for name in INDEX_FILES if domain else ():
            path = f"v1/{dataset}/{domain}/{name}"
            if (inventory.home / path).is_file():
                yield _removal(inventory.home, path, "index", "its domain has nothing left")


def _removal(home: Path, path: str, kind: str, why: str) -> Removal:
    return Removal(path=path, kind=kind, bytes=size_of(home / path), why=why)


def _refuse_written(path: Path) -> None:
    writer = writer_of(path) if path.is_dir() else None
    if writer:
        raise StoreError(
            f"{path} is not removed",
            expected="a store that nobody writes into",
            found=writer,
            fix="Wait for it to end, or stop it.",
        )
