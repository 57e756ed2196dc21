"""Laws of the writers' lock."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from w2s_cache.errors import StoreError
from w2s_cache.store import lock
from w2s_cache.store.layout import OWNER_FILE
from w2s_cache.store.lock import Owner, read_owner, writer_lock


def test_the_holder_leaves_a_note_while_it_holds(tmp_path: Path) -> None:
    """The owner's process and machine are readable during the hold and gone after it."""
    with writer_lock(tmp_path, timeout=0, on_wait=None):
        owner = read_owner(tmp_path)
    assert owner is not None
    assert (owner.pid, owner.host) == (os.getpid(), socket.gethostname())
    assert read_owner(tmp_path) is None


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    """After the timeout the error names the process, the machine and since when."""
    with (
        writer_lock(tmp_path, timeout=0, on_wait=None),
        pytest.raises(StoreError, match=rf"found process {os.getpid()} on .* since 2.*Wait"),
        writer_lock(tmp_path, timeout=0.01, on_wait=None),
    ):
        pytest.fail("two writers hold the lock")


def test_who_waits_is_told_for_whom_and_then_gets_the_lock(tmp_path: Path) -> None:
    """The callback sees the owner once; when the owner leaves, the waiting writer enters."""
    seen: list[Owner | None] = []
    leave, entered = threading.Event(), threading.Event()

    def hold() -> None:
        with writer_lock(tmp_path, timeout=0, on_wait=None):
            entered.set()
            leave.wait(10)

    def on_wait(owner: Owner | None) -> None:
        seen.append(owner)
        leave.set()

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(10)
    with writer_lock(tmp_path, timeout=10, on_wait=on_wait):
        pass
    holder.join()
    assert [owner.pid for owner in seen if owner] == [os.getpid()]


def test_a_lock_left_behind_does_not_block(tmp_path: Path) -> None:
    """Lock and note of a process that died do not keep the next writer out."""
    with writer_lock(tmp_path, timeout=0, on_wait=None):
        pass
    (tmp_path / OWNER_FILE).write_text('{"pid": 1, "host": "gone", "since": "then"}')
    with writer_lock(tmp_path, timeout=0, on_wait=None):
        assert read_owner(tmp_path) != Owner(pid=1, host="gone", since="then")


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        "{}",
        '{"pid": 1}',
        '{"pid": "1", "host": "h", "since": "s"}',
        '{"pid": true, "host": "h", "since": "s"}',
        '{"pid": 1, "host": ["h"], "since": "s"}',
        '{"pid": 1, "host": "h", "since": null}',
    ],
)
def test_an_unreadable_note_names_nobody(tmp_path: Path, note: str) -> None:
    """A damaged note is no owner and no crash."""
    (tmp_path / OWNER_FILE).write_text(note)
    assert read_owner(tmp_path) is None


def test_the_lock_is_free_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside the hold releases the lock, not only its garbage collection."""
    kept: list[FileLock] = []

    def keep(path: Path, **settings: Any) -> FileLock:
        kept.append(FileLock(path, **settings))
        return kept[-1]

    monkeypatch.setattr(lock, "FileLock", keep)
    with pytest.raises(KeyboardInterrupt), writer_lock(tmp_path, timeout=0, on_wait=None):
        raise KeyboardInterrupt
    with writer_lock(tmp_path, timeout=0, on_wait=None):
        assert [held.is_locked for held in kept] == [False, True]
