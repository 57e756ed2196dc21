"""Law: whatever stops a writer, wherever, the next one ends with the very same files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from w2s_cache.errors import StoreError
from w2s_cache.store.check import check_store
from w2s_cache.store.reader import open_store, read_manifest
from w2s_cache.store.writer import open_writer

CALLS_OF_A_WRITE = 24  # eight each for the shard, its failures and the manifest


def interrupt() -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def die() -> None:
    """What kill -9 does: no handler, no cleaning up."""
    os._exit(9)


def write_second_shard(directory: Path, maker: Any, failing: Any) -> None:
    """Open a store whose first shard exists and write the second while something happens."""
    with open_writer(directory, **maker.declaration()) as writer:
        arrays, failures = maker.block(8, 16)
        with failing:
            writer.write(8, arrays, failures=failures)


def begin(directory: Path, maker: Any) -> Path:
    """Make a store that has its first shard only."""
    with open_writer(directory, **maker.declaration()) as writer:
        arrays, failures = maker.block(0, 8)
        writer.write(0, arrays, failures=failures)
    return directory


def check_what_is_left(
    directory: Path, maker: Any, expected: dict[str, bytes], contents: Any
) -> None:
    """Readers see whole shards only; after a resume the shards are byte-identical."""
    assert read_manifest(directory).stored_rows in (8, 16)
    with pytest.raises(StoreError, match=r"(8|16) of 20 rows"):
        open_store(directory)
    maker.fill(directory)
    assert contents(directory) == expected
    assert check_store(directory) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", range(1, CALLS_OF_A_WRITE + 1))
def test_an_interrupt_at_any_step_resumes_to_identical_files(
    tmp_path: Path, maker: Any, store: Path, contents: Any, failing_os: Any, nth: int, after: bool
) -> None:
    """Ctrl-C before or after any file-system call of a write costs at most that shard."""
    directory = begin(tmp_path / "s", maker)
    with pytest.raises(KeyboardInterrupt):
        write_second_shard(directory, maker, failing_os(nth, interrupt, after=after))
    check_what_is_left(directory, maker, contents(store), contents)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill a writer")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", range(1, CALLS_OF_A_WRITE + 1))
def test_a_kill_at_any_step_resumes_to_identical_files(
    tmp_path: Path, maker: Any, store: Path, contents: Any, failing_os: Any, nth: int, after: bool
) -> None:
    """A writer that dies without cleaning up leaves nothing that the next one cannot put right."""
    directory = begin(tmp_path / "s", maker)
    child = os.fork()
    if child == 0:
        try:
            write_second_shard(directory, maker, failing_os(nth, die, after=after))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    check_what_is_left(directory, maker, contents(store), contents)


def test_a_write_makes_the_number_of_calls_that_these_tests_visit(
    tmp_path: Path, maker: Any, failing_os: Any
) -> None:
    """No step of a write is beyond the range of the interrupts above."""
    failing = failing_os(0, interrupt)
    calls: list[str] = []
    with open_writer(tmp_path / "s", **maker.declaration()) as writer:
        arrays, failures = maker.block(8, 16)
        with failing as calls:
            writer.write(8, arrays, failures=failures)
    assert len(calls) == CALLS_OF_A_WRITE


@pytest.mark.parametrize("nth", range(1, 40, 3))
def test_an_interrupt_while_opening_a_writer_loses_nothing(
    tmp_path: Path, maker: Any, store: Path, contents: Any, failing_os: Any, nth: int
) -> None:
    """Ctrl-C while the lock is taken or leftovers are removed leaves every published shard."""
    directory = begin(tmp_path / "s", maker)
    (directory / "part-00001.h5.tmp-1").write_bytes(b"half")
    before = contents(directory)["part-00000.h5"]
    try:
        with failing_os(nth, interrupt), open_writer(directory, **maker.declaration()):
            pass
    except KeyboardInterrupt:
        pass
    assert contents(directory)["part-00000.h5"] == before
    assert read_manifest(directory).stored_rows == 8
    maker.fill(directory)
    assert contents(directory) == contents(store)
