"""Reads every byte of a cache, or of a part of it, and judges it by all laws."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.cache.finding import Checked, Finding
from w2s_cache.cache.inventory import store_of
from w2s_cache.cache.live import known_writer
from w2s_cache.cache.numbers import suspicions
from w2s_cache.cache.selection import Scope
from w2s_cache.cache.set_laws import set_findings
from w2s_cache.command_line import command_line
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.check import Violation, check_store
from w2s_cache.store.contents import StoreEntry
from w2s_cache.store.index import read_index
from w2s_cache.store.reader import read_manifest

MENDED_BY_EXTRACT = {"FS-06", "FS-07", "FS-08", "FS-17", "FS-18"}
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
    violations = check_store(folder, advance=advance)
    if writer:  # it is not finished, and what is temporary is being written
        violations = [v for v in violations if v.law not in {"FS-06", "FS-16"}]
    fixes = _Fixes(entry.path, scope.needed.get(entry.path))
    findings = tuple(Finding(law=v.law, message=v.message, fix=fixes.of(v)) for v in violations)
    notes = [f"{writer} writes into it"] if writer else []
    if not any(finding.law != "FS-16" for finding in findings):
        notes += _notes(scope, entry)
    return Checked(path=entry.path, kind="store", findings=findings, notes=tuple(notes))


def _notes(scope: Scope, entry: StoreEntry) -> Iterator[str]:
    """Oddities of the numbers; copies of images are told from other rows that are alike."""
    contents = None
    for found in scope.sets if entry.manifest and entry.manifest.kind != "text" else ():
        refs = (found.found.image, found.found.logits) if found.found else ()
        if entry.path in {store_of(ref) for ref in refs}:
            with contextlib.suppress(StoreError):  # its own finding says so
                place = scope.home / found.path
                contents = read_index(place.parent.with_name("index.parquet")).sha256
    folder = scope.home / entry.path
    manifest = read_manifest(folder)
    sized = contents if contents is not None and len(contents) == manifest.rows else None
    yield from suspicions(folder, manifest, contents=sized)
    if entry.path not in scope.needed:
        yield "no feature set refers to it (`w2s-cache cache gc` would remove it)"


@dataclass(frozen=True, slots=True)
class _Fixes:
    """What to do about a store, which depends on whether a feature set needs it."""

    path: str
    needed_by: str | None

    def of(self, violation: Violation) -> str:
        if violation.law in MENDED_BY_EXTRACT:
            return "Run `w2s-cache extract` again with the same spec: it computes what is missing."
        if violation.law in MENDED_BY_GC:
            return "Run `w2s-cache cache gc`: it removes temporary files and unlisted shards."
        target = self.needed_by or self.path
        return f"Run `{command_line('cache', 'rm', target)}`, then `w2s-cache extract` again."
