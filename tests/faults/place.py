"""Where trials put their files: in memory when there is such a place, for a kill needs no disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  # only ever a fresh directory in it


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder that is removed afterwards."""
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="w2s-faults-", dir=memory) as folder:
        yield Path(folder)


def emptied(home: Path) -> Path:
    """The same folder without anything in it."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home
