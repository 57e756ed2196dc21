"""A disk that forgets at a loss of power whatever was never flushed, in the least lucky way.

What a process sees is the real folder. Beside it this model keeps what the disk has promised:
the content of a file at its last ``fsync`` and the names in a directory at its last ``fsync``.
A loss of power may then keep or forget every name and every byte that was not promised.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from faults.calls import Call, watched

LOSSES = ("content", "half the content", "content for zeros", "names", "some of both")
Names = dict[str, int]


@dataclass(kw_only=True)
class Disk:
    """What a folder holds and what of it is promised; entries by inode number.

    Attributes:
        top: The folder; its own name is promised.
        graves: Where every file gets a second name, so that no inode number is used twice.
        seen: Content of every file that ever was.
        names: Names of every directory that ever was.
        flushed: Content at the last flush.
        promised: Names at the last flush of the directory.
        root: Inode of ``top``.
    """

    top: Path
    graves: Path
    seen: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, Names] = field(default_factory=dict)
    flushed: dict[int, bytes] = field(default_factory=dict)
    promised: dict[int, Names] = field(default_factory=dict)
    root: int = 0

    def look(self) -> None:
        """Take in what the folder holds now."""
        self.root = self._look(self.top)

    def flush(self, path: Path) -> None:
        """What ``fsync`` promises of a file or a directory."""
        self.look()
        inode = path.stat().st_ino
        if path.is_dir():
            self.promised[inode] = dict(self.names[inode])
        else:
            self.flushed[inode] = self.seen[inode]

    def copy(self) -> Disk:
        """The state of now, which later calls leave as it is."""
        parts = ("seen", "names", "flushed", "promised")
        return replace(self, **{part: dict(getattr(self, part)) for part in parts})

    def lose(self, loss: str, target: Path, generator: np.random.Generator) -> Path:
        """Make ``target`` what is found after the power comes back.

        Args:
            loss: One of ``LOSSES``: what is forgotten wherever it was not promised.
            target: A folder that does not exist.
            generator: Decides where ``loss`` is ``"some of both"``.
        """
        self._restore(self.root, target, loss, generator)
        return target

    def _look(self, path: Path) -> int:
        inode = path.stat().st_ino
        if path.is_dir():
            self.names[inode] = {entry.name: self._look(entry) for entry in path.iterdir()}
            return inode
        self.seen[inode] = path.read_bytes()
        with contextlib.suppress(FileExistsError):
            os.link(path, self.graves / str(inode))
        return inode

    def _restore(self, inode: int, path: Path, loss: str, generator: np.random.Generator) -> None:
        if inode not in self.names:
            path.write_bytes(self._content(inode, loss, generator))
            return
        path.mkdir()
        for name, entry in self._entries(inode, loss, generator).items():
            self._restore(entry, path / name, loss, generator)

    def _entries(self, inode: int, loss: str, generator: np.random.Generator) -> Names:
        now, safe = self.names[inode], self.promised.get(inode, {})
        if loss == "names":
            return safe
        if loss != "some of both":
            return now
        kept = {n: (now if generator.random() < 0.5 else safe).get(n) for n in {**now, **safe}}
        return {name: entry for name, entry in sorted(kept.items()) if entry is not None}

    def _content(self, inode: int, loss: str, generator: np.random.Generator) -> bytes:
        now, safe = self.seen[inode], self.flushed.get(inode)
        if safe == now or loss == "names":
            return now
        if loss == "some of both":
            loss = LOSSES[generator.integers(0, 3)]
        if loss == "content":
            return safe or b""
        return now[: len(now) // 2] if loss == "half the content" else bytes(len(now))


@contextlib.contextmanager
def recorded(
    top: Path,
    graves: Path,
    before: Callable[[Call, Disk], None],
    *,
    flushes: Callable[[Path], bool] = lambda _: True,
) -> Iterator[Disk]:
    """Keeps the model of a folder up to date while something writes to it.

    Args:
        top: The folder.
        graves: An empty folder on the same file system.
        before: Called before every call that changes the folder, with the state then.
        flushes: Whether a flush of this path does anything; else it is as if left out.
    """
    disk = Disk(top=top, graves=graves)
    disk.look()
    disk.promised, disk.flushed = dict(disk.names), dict(disk.seen)

    def look(call: Call) -> None:
        disk.look()
        before(call, disk)

    def flush(call: Call) -> None:
        if call.name == "fsync" and flushes(call.path):
            disk.flush(call.path)

    with watched(top, look, flush):
        yield disk
    disk.look()
