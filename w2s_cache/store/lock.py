"""One writer per store: an advisory lock and a note that says who holds it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from w2s_cache.errors import StoreError, StoreWriteError
from w2s_cache.store.layout import LOCK_FILE, OWNER_FILE, SOFT_LOCK_FILE
from w2s_cache.store.publish import publish, write_error
from w2s_cache.store.regular_file import read_regular
from w2s_cache.store.shallow_json import parse_json

NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}  # what file systems without locks say


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who writes a store: process, machine, and since when (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


@contextlib.contextmanager
def writer_lock(
    directory: Path, *, timeout: float, on_wait: Callable[[Owner | None], None] | None
) -> Iterator[None]:
    """Hold the only right to write into a directory.

    The operating system frees the lock of a process that died. Where the file system has no locks,
    a file that names its process stands for one; that of a dead process of this machine is taken
    over, that of another machine is waited for.

    Args:
        directory: The store; it exists.
        timeout: Seconds to wait for another writer; negative waits for ever.
        on_wait: Called once, with the owner if known, when there is somebody to wait for.

    Raises:
        StoreError: another writer still holds the lock after ``timeout``; it is named.
        StoreWriteError: the lock cannot be made.
    """
    try:
        lock = _taken(directory, timeout, on_wait)
    except OSError as error:
        raise write_error(directory / LOCK_FILE, error) from error
    try:
        note = Owner(
            pid=os.getpid(),
            host=socket.gethostname(),
            since=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with contextlib.suppress(StoreWriteError):  # it only tells whom to wait for, and on a full
            # disk those who free space hold the lock too; a writer hears of it at its first file
            publish(directory / OWNER_FILE, json.dumps(asdict(note)).encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            (directory / OWNER_FILE).unlink(missing_ok=True)
        lock.release()


def read_owner(directory: Path) -> Owner | None:
    """Return who holds the lock, or None when no readable note says so."""
    try:
        found = Owner(**parse_json(read_regular(directory / OWNER_FILE)))
    except (OSError, ValueError, TypeError):
        return None
    texts = isinstance(found.host, str) and isinstance(found.since, str)
    return found if texts and type(found.pid) is int else None


def _taken(
    directory: Path, timeout: float, on_wait: Callable[[Owner | None], None] | None
) -> BaseFileLock:
    lock: BaseFileLock = FileLock(directory / LOCK_FILE, fallback_to_soft=False)
    try:
        _acquire(lock, directory, timeout, on_wait)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        # under a name of its own: an empty lock file copied from elsewhere would count as held
        lock = SoftFileLock(directory / SOFT_LOCK_FILE)
        _acquire(lock, directory, timeout, on_wait)
    return lock


def _acquire(
    lock: BaseFileLock,
    directory: Path,
    timeout: float,
    on_wait: Callable[[Owner | None], None] | None,
) -> None:
    with contextlib.suppress(Timeout):
        lock.acquire(timeout=0)
        return
    if on_wait is not None:
        on_wait(read_owner(directory))
    try:
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise StoreError(
            f"another process is writing {directory}",
            expected=f"its lock within {timeout:g} s",
            found=str(read_owner(directory) or "an owner that left no note"),
            fix="Wait for it to end, or stop it; what it has written is kept.",
        ) from error
