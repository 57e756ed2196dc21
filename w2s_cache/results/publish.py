"""A directory that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from w2s_cache.store.publish import made_durably


@contextlib.contextmanager
def publishing(target: Path) -> Iterator[Path]:
    """Gives an empty directory beside ``target`` and renames it there when the block succeeds.

    Every file is flushed to disk first. A directory already at ``target`` is replaced; if the
    block or the renaming fails, it stays. What is being written lies in a hidden directory
    ``.<name>.<random>.partial``, removed at the end; one that a killed process left may be
    deleted at any time.

    Args:
        target: Where the directory shall appear; parents are made.

    Raises:
        OSError: The disk refused.
    """
    made_durably(target.parent)
    prefix = f".{target.name}."
    workspace = Path(tempfile.mkdtemp(prefix=prefix, suffix=".partial", dir=target.parent))
    try:
        new = workspace / "new"
        new.mkdir()
        yield new
        for path in [*new.iterdir(), new]:
            _flush(path)
        _replace(target, new, aside=workspace)
        _flush(target.parent)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _replace(target: Path, new: Path, *, aside: Path) -> None:
    """Renames ``new`` to ``target``; an older one is moved out first, and back on failure."""
    for attempt in range(100):
        old = aside / f"old-{attempt}"
        with contextlib.suppress(FileNotFoundError):
            target.rename(old)
        try:
            new.rename(target)
        except BaseException as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue  # another process has just published there
            if old.exists():
                old.rename(target)
            raise
        return
    raise OSError(errno.EEXIST, "other processes keep writing the same directory")


def _flush(path: Path) -> None:
    """Makes a file, or a directory's entries, durable."""
    if path.is_dir() and not hasattr(os, "O_DIRECTORY"):
        return  # Windows has no handle on a directory to flush
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
