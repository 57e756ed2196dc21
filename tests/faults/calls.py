"""Every call by which a process changes files below one folder, numbered from one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

fcntl = pytest.importorskip("fcntl", reason="forks and locks of files: needs a POSIX system")
BY_PATH = ("open", "replace", "rename", "unlink", "mkdir", "rmdir")
BY_DESCRIPTOR = ("write", "fsync", "ftruncate", "close")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(kw_only=True)
class Call:
    """One call before it is made.

    Attributes:
        number: From one.
        name: Of the function, e.g. ``"fsync"``.
        path: The file or directory it is about.
        real: Makes the call; with an argument, writes those bytes in the place of its own.
        content: The bytes of a write, else none.
    """

    number: int
    name: str
    path: Path
    real: Callable[..., Any]
    content: bytes = b""


@dataclass(kw_only=True)
class _Watch:
    below: str
    before: Callable[[Call], None]
    after: Callable[[Call], None]
    count: int = 0
    opened: dict[int, Path] = field(default_factory=dict)

    def inside(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and f"{os.fspath(path)}/".startswith(
            f"{self.below}/"
        )

    def around(self, name: str, path: Path, real: Callable[..., Any], content: bytes = b"") -> Any:
        self.count += 1
        call = Call(number=self.count, name=name, path=path, real=real, content=content)
        self.before(call)
        result = real()
        self.after(call)
        return result

    def by_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(path: Any, *rest: Any, **more: Any) -> Any:
            if not self.inside(path) or more.get("dir_fd") is not None:
                return real(path, *rest, **more)
            if name == "open" and not rest[0] & WRITING:  # no change, but it may be flushed by it
                result = real(path, *rest, **more)
            else:
                result = self.around(name, Path(path), lambda: real(path, *rest, **more))
            if name == "open":
                self.opened[result] = Path(path)
            return result

        return step

    def by_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(descriptor: Any, *rest: Any) -> Any:
            if descriptor not in self.opened:
                return real(descriptor, *rest)
            path = self.opened[descriptor]
            if name == "close":
                del self.opened[descriptor]
            content = bytes(rest[0]) if name == "write" else b""
            return self.around(
                name, path, lambda *other: real(descriptor, *(other or rest)), content
            )

        return step

    def table(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(table: Any, where: Any, *rest: Any, **more: Any) -> Any:
            if not self.inside(where):
                return real(table, where, *rest, **more)
            return self.around(
                "write_table", Path(where), lambda: real(table, where, *rest, **more)
            )

        return step


@contextlib.contextmanager
def watched(
    below: Path,
    before: Callable[[Call], None] = lambda _: None,
    after: Callable[[Call], None] = lambda _: None,
) -> Iterator[_Watch]:
    """Calls ``before`` and ``after`` around each call that changes something below a folder.

    Calls that Python makes are seen one by one; a table of pyarrow is written as one call.
    """
    watch = _Watch(below=os.fspath(below), before=before, after=after)
    with pytest.MonkeyPatch.context() as patch:
        for name in BY_PATH:
            patch.setattr(os, name, watch.by_path(name, getattr(os, name)))
        for name in BY_DESCRIPTOR:
            patch.setattr(os, name, watch.by_descriptor(name, getattr(os, name)))
        patch.setattr(fcntl, "flock", watch.by_descriptor("flock", fcntl.flock))
        patch.setattr(pq, "write_table", watch.table(pq.write_table))
        yield watch


def count_calls(below: Path, work: Callable[[], object]) -> list[str]:
    """The names of all calls that ``work`` makes below a folder, in order."""
    names: list[str] = []
    with watched(below, lambda call: names.append(call.name)):
        work()
    return names
