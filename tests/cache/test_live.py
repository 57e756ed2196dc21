"""Who holds the writers' lock of a folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from filelock import FileLock

from w2s_cache.cache.live import writer_of
from w2s_cache.store.layout import LOCK_FILE
from w2s_cache.store.lock import writer_lock


def test_a_lock_is_held_only_while_somebody_holds_it(tmp_path: Path) -> None:
    """Its file alone says nothing, and asking leaves no file."""
    assert writer_of(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with writer_lock(tmp_path, timeout=0, on_wait=None):
        assert f"process {os.getpid()}" in str(writer_of(tmp_path))
    assert writer_of(tmp_path) is None


@pytest.mark.parametrize(("code", "held"), [(errno.ENOSYS, False), (errno.EACCES, True)])
def test_a_lock_that_cannot_be_tried_counts_as_held_unless_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, held: bool
) -> None:
    """On a file system without locks only the file that stands for one decides."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    (tmp_path / LOCK_FILE).write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setattr(FileLock, "acquire", refuse)
        assert (writer_of(tmp_path) is not None) == held
