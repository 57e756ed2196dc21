"""Put a file in place in one step: written beside, flushed to the disk, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator
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
    with _put_in_place(path) as temporary:
        _write_through(temporary, content)


def publish_written(path: Path, write: Callable[[Path], None]) -> None:
    """Make ``path`` the file that ``write`` writes; for files too large to be held in memory.

    Args:
        path: The file to create or replace; its directory exists.
        write: Called with a temporary path beside it, which it must create.

    Raises:
        StoreWriteError: no space, no permission or another failure of the disk. The temporary
            file is gone, and the file that was at ``path`` is untouched.
    """
    with _put_in_place(path) as temporary:
        write(temporary)
        _sync(temporary, os.O_RDWR)  # Windows flushes only what it may write


def make_directory(path: Path) -> None:
    """Make a directory and its missing parents so that they outlast a loss of power.

    Args:
        path: The directory; it may exist.

    Raises:
        StoreWriteError: no space, no permission or a file in the way.
    """
    try:
        made_durably(path)
    except OSError as error:
        raise write_error(path, error) from error


def made_durably(path: Path) -> None:
    """Make a directory and flush the name of every one made to the disk.

    A file may be flushed and yet be lost, when the name of the directory it lies in never reached
    the disk.

    Args:
        path: The directory; it may exist, and its missing parents are made.

    Raises:
        OSError: the disk refused.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        _sync_directory(folder.parent)


def remove_temporaries(directory: Path) -> None:
    """Remove what killed processes were writing; for who holds the only right to write there.

    Raises:
        StoreWriteError: no permission or another failure of the disk.
    """
    try:
        for path in directory.iterdir():
            if TEMPORARY_MARK in path.name:
                path.unlink()
    except OSError as error:
        raise write_error(directory, error) from error


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


@contextlib.contextmanager
def _put_in_place(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed to it when whole and gone otherwise."""
    unique = f"{os.getpid()}-{secrets.token_hex(4)}"  # in containers every process is number 1
    temporary = path.with_name(f"{path.name}{TEMPORARY_MARK}{unique}")
    try:
        yield temporary
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
    _sync(directory, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
