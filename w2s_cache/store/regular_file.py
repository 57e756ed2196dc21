"""Opening what should be a file: a pipe of that name must not be waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # opening a pipe waits for a writer otherwise; not Windows


def open_regular(path: Path, *, buffering: int = -1) -> IO[bytes]:
    """Opens a regular file for reading, links followed.

    Args:
        path: The file.
        buffering: As of ``open``.

    Raises:
        OSError: It cannot be opened, or is a pipe, device, socket or folder.
    """
    try:
        return open(path, "rb", buffering=buffering, opener=_opener)
    except OSError as error:  # sockets, on some systems folders too, cannot be opened at all
        if is_irregular(path):
            raise not_regular(path) from error
        raise


def read_regular(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: It cannot be read, or is a pipe, device, socket or folder.
    """
    with open_regular(path) as file:
        return file.read()


def is_irregular(path: Path) -> bool:
    """Whether something is there, links followed, that is no regular file."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def not_regular(path: Path) -> OSError:
    """What is said of it."""
    return OSError(errno.EINVAL, "not a regular file", str(path))


def _opener(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _AT_ONCE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # what was opened, whatever lies there now
        os.close(descriptor)
        raise not_regular(Path(path))
    return descriptor
