"""Put a file in place in one step: written beside, flushed to the disk, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from w2s_cache.errors import StoreWriteError
from w2s_cache.store.layout import TEMPORARY_MARK

REMEDIES = {
    errno.ENOSPC: "Free space on that disk or choose another --cache-dir",
    errno.EDQUOT: "Free some of your quota or choose another --cache-dir",
    errno.EROFS: "The disk is read-only: choose another --cache-dir or set W2S_CACHE_HOME",
    errno.EACCES: "Get write permission there, choose another --cache-dir or set W2S_CACHE_HOME",
    errno.EPERM: "Get write permission there, choose another --cache-dir or set W2S_CACHE_HOME",
}


def publish(path: Path, content: bytes) -> None:
    """Make ``path`` hold ``content``, completely or not at all, also after a loss of power.

    Args:
        path: The file to create or replace; its directory exists.
        content: All bytes of the file.

    Raises:
        StoreWriteError: no space, no permission or another failure of the disk. The temporary
            file is gone, and the file that was at ``path`` is untouched.
    """
    temporary = path.with_name(f"{path.name}{TEMPORARY_MARK}{os.getpid()}")
    try:
        _write_through(temporary, content)
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Make ``path`` be absent, also after a loss of power.

    Raises:
        StoreWriteError: no permission or another failure of the disk.
    """
    try:
        if path.exists():
            path.unlink()
            _sync_directory(path.parent)
    except OSError as error:
        raise write_error(path, error) from error


def write_error(path: Path, error: OSError) -> StoreWriteError:
    """Build the error for a file or directory that cannot be written."""
    remedy = REMEDIES.get(error.errno or 0, "Check that disk")
    return StoreWriteError(
        f"cannot write {path}",
        expected="a writable disk with enough space",
        found=error.strerror or str(error),
        fix=f"{remedy}, then run the same command again: it continues where it stopped.",
    )


def _write_through(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows has no handle on a directory to flush
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
