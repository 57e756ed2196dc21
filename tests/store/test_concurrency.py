"""Laws of a store that several processes use at once."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.errors import StoreError
from w2s_cache.store.check import check_store
from w2s_cache.store.layout import LOCK_FILE, SOFT_LOCK_FILE, ArraySpec
from w2s_cache.store.lock import Owner, writer_lock
from w2s_cache.store.reader import open_store, read_manifest
from w2s_cache.store.shard import read_verified
from w2s_cache.store.writer import open_writer

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill a writer")


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_children_of_every_start_method_read_a_store_of_their_parent(
    maker: Any, tmp_path: Path, method: str
) -> None:
    """A store opened and read here travels as a value; its reader opens its own files there."""
    arrays = [ArraySpec(name="features", row_shape=(4,), dtype="float16")]
    store = open_store(maker.fill(tmp_path / "s", arrays=arrays))
    here = store.read("features")
    with multiprocessing.get_context(method).Pool(1) as pool:
        there = pool.apply(store.read, ("features",))
    np.testing.assert_array_equal(here, there)


def write_slowly(descriptor: int, content: memoryview) -> int:
    """A disk that takes a few bytes at a time."""
    time.sleep(2e-4)
    return os.writev(descriptor, [content[:200]])


def test_readers_never_see_a_half_written_state(
    maker: Any, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While shards are published, every manifest lists whole shards only, and never fewer."""
    monkeypatch.setattr(os, "write", write_slowly)
    done, faults = threading.Event(), []
    directory = tmp_path / "s"
    whole = open_store(store).read("features")

    def look(seen: int) -> int:
        manifest = read_manifest(directory)
        for shard in manifest.shards:
            read_verified(directory, shard, np.empty(shard.bytes, np.uint8))
        if manifest.complete:
            np.testing.assert_array_equal(open_store(directory).read("features"), whole)
        assert manifest.stored_rows >= seen
        return manifest.stored_rows

    def hammer() -> None:
        seen = 0
        try:
            while not done.is_set():
                seen = look(seen)
            assert look(seen) == 20
        except Exception as fault:  # noqa: BLE001 - it is raised in the thread of the test
            faults.append(fault)

    with open_writer(directory, **maker.declaration()) as writer:
        readers = [threading.Thread(target=hammer) for _ in range(3)]
        for reader in readers:
            reader.start()
        for start, stop in writer.missing():
            arrays, failures = maker.block(start, stop)
            writer.write(start, arrays, failures=failures)
        done.set()
        for reader in readers:
            reader.join()
    assert faults == []


def die_holding(directory: Path) -> int:
    """A process takes the lock and is killed; returns its number."""
    child = os.fork()
    if child == 0:
        try:
            with writer_lock(directory, timeout=0, on_wait=None):
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return child


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks, in each of the ways in which they say so."""
    fcntl = pytest.importorskip("fcntl", reason="locks of Windows do not go through fcntl")

    def refuse(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)


def unwanted(owner: Owner | None) -> None:
    """Waiting where nobody holds the lock."""
    pytest.fail(f"waited for {owner}")


@forks
def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    """The next writer does not wait, whatever note the dead one left."""
    die_holding(tmp_path)
    with writer_lock(tmp_path, timeout=0, on_wait=unwanted):
        pass


@pytest.mark.usefixtures("no_locks")
class TestWithoutLocks:
    """Where the file system has no locks, a file that names its owner stands for one."""

    def test_a_second_writer_is_refused_and_told_who_writes(self, tmp_path: Path) -> None:
        """One writer at a time, also there."""
        with (
            writer_lock(tmp_path, timeout=0, on_wait=None),
            pytest.raises(StoreError, match=rf"process {os.getpid()} on .* since"),
            writer_lock(tmp_path, timeout=0.01, on_wait=None),
        ):
            pytest.fail("two writers hold the lock")

    @forks
    def test_the_file_of_a_killed_writer_is_taken_over(self, tmp_path: Path) -> None:
        """A file that names a dead process of this machine is no lock."""
        child = die_holding(tmp_path)
        assert (tmp_path / SOFT_LOCK_FILE).read_text().startswith(f"{child}\n")
        with writer_lock(tmp_path, timeout=10, on_wait=None):
            pass

    def test_an_empty_lock_file_from_elsewhere_does_not_count(self, tmp_path: Path) -> None:
        """What remains of a real lock, copied with its store, keeps nobody waiting."""
        (tmp_path / LOCK_FILE).touch()
        with writer_lock(tmp_path, timeout=0, on_wait=unwanted):
            pass

    def test_a_store_that_is_being_written_breaks_no_law(self, maker: Any, store: Path) -> None:
        """The file belongs to the store while it is there."""
        with open_writer(store, **maker.declaration()):
            assert (store / SOFT_LOCK_FILE).is_file()
            assert check_store(store) == []
        assert not (store / SOFT_LOCK_FILE).exists()


def test_temporary_names_differ_between_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes of one number, as in two containers, do not write one temporary file."""
    from w2s_cache.store import publish

    names: list[Path] = []
    real: Callable[[Path, bytes], None] = publish._write_through

    def note(path: Path, content: bytes) -> None:
        names.append(path)
        real(path, content)

    monkeypatch.setattr(publish, "_write_through", note)
    for content in (b"one", b"two"):
        publish.publish(tmp_path / "file", content)
    assert len(set(names)) == 2
