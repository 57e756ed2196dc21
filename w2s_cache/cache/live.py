"""Whether somebody is writing into a folder of the cache at this moment."""

from __future__ import annotations

from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from w2s_cache.store.layout import LOCK_FILE, SOFT_LOCK_FILE
from w2s_cache.store.lock import NO_LOCKS, read_owner


def writer_of(directory: Path) -> str | None:
    """Who holds the writers' lock of a store or weak model, None when nobody does.

    A lock that cannot be tried counts as held: for who would remove something.
    """
    try:
        return known_writer(directory)
    except OSError as error:
        return f"somebody, perhaps: its lock cannot be tried ({error.strerror or error})"


def known_writer(directory: Path) -> str | None:
    """Who holds the writers' lock of a store or weak model, None when nobody does.

    Tries the lock, which no process that died still holds; leaves no file behind where there was
    none.

    Raises:
        OSError: The lock cannot be tried, as on a read-only disk.
    """
    path, soft = directory / LOCK_FILE, directory / SOFT_LOCK_FILE
    if not path.exists() and not soft.exists():
        return None
    lock: BaseFileLock = (
        SoftFileLock(soft) if soft.exists() else FileLock(path, fallback_to_soft=False)
    )
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return str(read_owner(directory) or "a process that left no note")
    except OSError as error:
        if error.errno in NO_LOCKS:  # there the file that stands for a lock decides, and is absent
            return None
        raise
    lock.release()
    return None
