"""Reads every byte of a cache, or of a part of it, and judges it by all laws."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.cache.finding import Checked, Finding
from w2s_cache.cache.inventory import store_of
from w2s_cache.cache.live import known_writer
from w2s_cache.cache.numbers import Suspicions
from w2s_cache.cache.orphans import HOUR
from w2s_cache.cache.repair import repair_command, spec_of
from w2s_cache.cache.selection import Scope
from w2s_cache.cache.set_laws import set_findings
from w2s_cache.command_line import command_line
from w2s_cache.errors import CorruptStoreError, NewerStoreError, StoreError
from w2s_cache.store.check import Violation, check_store
from w2s_cache.store.contents import StoreEntry
from w2s_cache.store.feature_set import load_feature_set
from w2s_cache.store.index import read_index
from w2s_cache.store.reader import read_manifest
from w2s_cache.store.remake import unsaid

UNUSABLE = {"FS-01", "FS-02", "FS-03", "FS-04", "FS-05"}
WITHOUT_REASONS = {"FS-17", "FS-18"}
MENDED_BY_EXTRACT = UNUSABLE | {"FS-06", "FS-07", "FS-08"} | WITHOUT_REASONS
MENDED_BY_GC = {"FS-16"}


def verify(scope: Scope, *, advance: Callable[[int], None]) -> Iterator[Checked]:
    """Yields what was found of every index, store, weak model and feature set, one by one.

    Args:
        scope: What to verify.
        advance: Called with the number of bytes of shards just read.
    """
    for path in scope.indexes:
        yield Checked(path=path, kind="index", findings=tuple(_index(scope.home / path)))
    for entry in scope.stores:
        yield _store(scope, entry, advance)
    for path in scope.weak:
        yield Checked(path=path, kind="weak model", findings=tuple(_weak(scope.home / path)))
    for found in scope.sets:
        findings = tuple(set_findings(scope.home, found))
        yield Checked(path=found.path, kind="feature set", findings=findings)


def _index(path: Path) -> Iterator[Finding]:
    try:
        read_index(path)
    except StoreError as error:
        yield Finding(
            law="index", message=f"expected {error.expected}, found {error.found}", fix=error.fix
        )


def _weak(folder: Path) -> Iterator[Finding]:
    from w2s_cache.weak.checkpoint import kept_weights
    from w2s_cache.weak.checkpoint_files import KEY_FILE

    if not (folder / KEY_FILE).exists():  # interrupted, or at work: nobody takes it for a model
        return
    try:
        kept_weights(folder)
    except CorruptStoreError as error:
        message = f"expected {error.expected}, found {error.found}"
        yield Finding(law="weak model", message=message, fix=error.fix)


def _store(scope: Scope, entry: StoreEntry, advance: Callable[[int], None]) -> Checked:
    folder = scope.home / entry.path
    writer = None
    with contextlib.suppress(OSError):  # in a read-only cache nobody is known to write
        writer = known_writer(folder)
    numbers = Suspicions()
    violations = check_store(folder, advance=advance, observe=numbers.observe)
    if writer:  # it is not finished, and what is temporary is being written
        violations = [v for v in violations if v.law not in {"FS-06", "FS-16"}]
    fixes = _Fixes(scope, entry, {violation.law for violation in violations})
    findings = tuple(Finding(law=v.law, message=v.message, fix=fixes.of(v)) for v in violations)
    notes = [f"{writer} writes into it"] if writer else []
    if not any(finding.law != "FS-16" for finding in findings):
        notes += _notes(scope, entry, numbers)
    return Checked(path=entry.path, kind="store", findings=findings, notes=tuple(notes))


def _notes(scope: Scope, entry: StoreEntry, numbers: Suspicions) -> Iterator[str]:
    """Oddities of the numbers; copies of images are told from other rows that are alike."""
    yield from numbers.told(_contents(scope, entry))
    if entry.path not in scope.needed:
        yield (
            f"no feature set refers to it; `{command_line('cache', 'gc')}` removes it once it has "
            f"lain untouched for {HOUR / 60:.0f} minutes, "
            f"`{command_line('cache', 'gc', min_age='0', yes=True)}` at once"
        )


def _contents(scope: Scope, entry: StoreEntry) -> Sequence[str] | None:
    """(N,) digest of the image behind each row of a store; None where rows are not known images."""
    if entry.manifest is None or entry.manifest.kind == "text":
        return None
    for found in scope.sets:
        refs = (found.found.image, found.found.logits) if found.found else ()
        if entry.path in {store_of(ref) for ref in refs}:
            with contextlib.suppress(StoreError):  # its own finding says so
                place = scope.home / found.path
                contents = read_index(place.parent.with_name("index.parquet")).sha256
                return contents if len(contents) == entry.manifest.rows else None
            return None  # all sets of a store are of its domain, so of one index
    return None


@dataclass(frozen=True, slots=True)
class _Fixes:
    """What to do about a store, which depends on the feature sets that need it."""

    scope: Scope
    entry: StoreEntry
    broken: set[str]

    def of(self, violation: Violation) -> str:
        if violation.law in MENDED_BY_GC:
            gc = command_line("cache", "gc")
            return f"Run `{gc}`: it removes temporary files and unlisted shards."
        if self.broken & UNUSABLE and (newer := _newer(self.scope.home / self.entry.path)):
            return newer
        target = self.scope.needed.get(self.entry.path)
        remove = command_line("cache", "rm", target or self.entry.path)
        if target is None and self.broken & UNUSABLE:
            return f"Run `{remove}`: no feature set needs it."
        again = self._command(skip=violation.law in WITHOUT_REASONS)
        if self.broken & MENDED_BY_EXTRACT:  # other damage to the same shards goes with it
            unneeded = "" if target else f" Or run `{remove}`: no feature set needs it."
            return f"Run `{again}`: it computes what is missing.{unsaid(again)}{unneeded}"
        return f"Run `{remove}`, then `{again}`.{unsaid(again)}"

    def _command(self, *, skip: bool) -> str:
        """What makes the store again, by the set that asks for the fewest files."""
        path = self.entry.path
        sets = [s.found for s in self.scope.sets if s.found is not None and path in s.needs]
        if not sets and path in self.scope.needed:
            sets = [load_feature_set(self.scope.home / self.scope.needed[path])]
        if sets:
            commands = [repair_command(self.scope.home, found, skip=skip) for found in sets]
            return min(commands, key=lambda c: ("SOURCE" in c) + ("FILE" in c))
        _, dataset, domain, *_ = path.split("/")
        known = self.entry.manifest.attributes.get("domain") if self.entry.manifest else domain
        return command_line("extract", spec=spec_of(dataset), domain=known)


def _newer(folder: Path) -> str | None:
    """What to do about a store that a newer version made; None for every other."""
    try:
        read_manifest(folder)
    except NewerStoreError as error:
        return error.fix
    except StoreError:
        return None
    return None
