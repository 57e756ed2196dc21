"""What is to be removed from a cache, and removing it: first what is trusted, then its data."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.cache.boundary import inside
from w2s_cache.errors import StoreError
from w2s_cache.store.layout import LOCK_FILE, MANIFEST_FILE, SOFT_LOCK_FILE
from w2s_cache.store.lock import writer_lock
from w2s_cache.store.publish import write_error
from w2s_cache.weak.checkpoint_files import KEY_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One file or folder to remove: posix path below the home, what it is, its size, why."""

    path: str
    kind: str
    bytes: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One file or folder that stays although it was considered, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be removed, in this order, and what would not."""

    remove: tuple[Removal, ...]
    keep: tuple[Kept, ...]

    @property
    def bytes(self) -> int:
        """Size of all that would be removed."""
        return sum(removal.bytes for removal in self.remove)

    def still(self, now: Plan) -> Plan:
        """What of this plan a plan made later agrees with; people answer questions slowly."""
        paths = {removal.path for removal in self.remove}
        return Plan(remove=tuple(r for r in now.remove if r.path in paths), keep=now.keep)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; links count as nothing."""
    if path.is_symlink() or not path.exists():
        return 0
    if path.is_file():
        return path.stat().st_size
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file() and not f.is_symlink())


def carry_out(home: Path, plan: Plan, *, advance: Callable[[int], None]) -> int:
    """Removes what a plan lists, in its order.

    Of a store the manifest goes first and of a weak model its note, so that an interrupt leaves
    files that nobody takes for data and the next run removes. Folders that become empty go too.

    Args:
        home: The cache home.
        plan: What to remove.
        advance: Called with the bytes that were just freed.

    Returns:
        The bytes freed.

    Raises:
        StoreError: Somebody began to write there, or a link leads out of the home.
        StoreWriteError: The file system refuses.
    """
    for removal in plan.remove:
        path = home / removal.path
        if not inside(home, path):
            raise StoreError(
                f"{path} is not removed",
                expected=f"a path below {home / 'v1'}, links followed",
                found="a link that leads out of it",
                fix="Remove the link by hand if it is not wanted.",
            )
        try:
            _remove(path)
            _remove_empty(path.parent, home / "v1")
        except OSError as error:
            raise write_error(path, error) from error
        advance(removal.bytes)
    return plan.bytes


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    with writer_lock(path, timeout=0, on_wait=None):
        for name in (MANIFEST_FILE, KEY_FILE):
            (path / name).unlink(missing_ok=True)
        _empty(path, keep={LOCK_FILE, SOFT_LOCK_FILE})
        if os.name == "posix":  # while it is held: who waits for it sees that it is gone
            (path / LOCK_FILE).unlink(missing_ok=True)
    if os.name != "posix":  # Windows removes no open file, hence no lock that somebody took since
        with contextlib.suppress(PermissionError):
            (path / LOCK_FILE).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # somebody began anew there a moment ago
        path.rmdir()


def _empty(folder: Path, *, keep: set[str]) -> None:
    for entry in folder.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            _empty(entry, keep=set())
            entry.rmdir()
        else:
            entry.unlink()


def _remove_empty(folder: Path, base: Path) -> None:
    """Removes a folder that holds no file, with its empty folders, and so on upwards."""
    while folder != base and base in folder.parents:
        entries = [*folder.iterdir()]
        if any(e.is_symlink() or not e.is_dir() or any(e.iterdir()) for e in entries):
            return
        for entry in entries:
            entry.rmdir()
        folder.rmdir()
        folder = folder.parent
