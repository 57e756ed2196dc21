"""Laws of rows that are not valid: each says why, before anybody can see it, and never after."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store import failures as failures_module
from w2s_cache.store.check import check_store
from w2s_cache.store.failures import (
    RowFailure,
    add_failures,
    parse_failures,
    read_failures,
    shown,
    write_failures,
)
from w2s_cache.store.layout import FAILURES_FILE
from w2s_cache.store.reader import open_store, read_manifest
from w2s_cache.store.writer import open_writer


def stop() -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", range(1, 25))
def test_whatever_interrupts_a_write_no_invalid_row_lacks_its_reason(
    tmp_path: Path, maker: Any, failing_os: Any, nth: int, after: bool
) -> None:
    """At every step of publishing, the listed rows that are invalid are those with a failure."""
    directory = tmp_path / "s"
    arrays, failures = maker.block(8, 16)
    with open_writer(directory, **maker.declaration()) as writer:  # noqa: SIM117
        with pytest.raises(KeyboardInterrupt), failing_os(nth, stop, after=after):
            writer.write(8, arrays, failures=failures)
    found = {violation.law for violation in check_store(directory)}
    assert not found & {"FS-17", "FS-18"}
    listed = read_manifest(directory).shards
    told = read_failures(directory)
    assert all(shard.digest in told for shard in listed)
    maker.fill(directory)
    assert check_store(directory) == []
    assert list(read_failures(directory)) == [read_manifest(directory).shards[1].digest]


@pytest.mark.parametrize("content", [None, b"", b"no parquet"])
def test_lost_failures_cost_the_shards_they_explained(
    store: Path, maker: Any, contents: Any, content: bytes | None
) -> None:
    """Without its reasons a shard with invalid rows is refused; a writer makes it anew."""
    before, path = contents(store), store / FAILURES_FILE
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(CorruptStoreError, match=r"failures\.parquet is damaged"):
        open_store(store).verify()
    with open_writer(store, **maker.declaration()) as writer:
        assert writer.missing() == [(8, 16)]
    maker.fill(store)
    open_store(store).verify()
    assert contents(store) == before
    assert check_store(store) == []


def test_a_shard_that_was_withdrawn_and_written_whole_leaves_no_failure(
    store: Path, maker: Any
) -> None:
    """Until then, what was said of its rows is remembered, and counts for none."""
    with open_writer(store, **maker.declaration()) as writer:
        assert writer.failures() == (maker.broken,)
        writer.withdraw([maker.broken.row])
        assert writer.missing() == [(8, 16)]
        assert (writer.failures(), writer.skipped_before()) == ((), (maker.broken,))
        writer.write(8, maker.block(8, 16)[0])
        assert writer.skipped_before() == ()
    assert open_store(store).failures() == ()
    assert not (store / FAILURES_FILE).exists()
    assert check_store(store) == []


def test_failures_come_back_as_they_were_written(tmp_path: Path, maker: Any) -> None:
    """Reading undoes writing, row by row, but for messages, which fit one line of 500 signs."""
    rows = [dataclasses.replace(maker.broken, row=row, path=f"d/ü {row}.png") for row in range(3)]
    write_failures(tmp_path, {"b" * 32: (rows[0], rows[2]), "a" * 32: (rows[1],)})
    found = read_failures(tmp_path)
    assert found == {"b" * 32: (rows[0], rows[2]), "a" * 32: (rows[1],)}
    long = dataclasses.replace(maker.broken, message="two\nlines " + "x" * 1000)
    write_failures(tmp_path, {"a" * 32: (long,)})
    [[kept]] = read_failures(tmp_path).values()
    assert kept.message == ("two lines " + "x" * 1000)[:500] + "…"
    write_failures(tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_failures_added_shard_by_shard_are_those_written_at_once(
    tmp_path: Path, maker: Any
) -> None:
    """In whatever order shards come, twice too, the file is the same bytes."""
    told = {
        digest * 32: tuple(dataclasses.replace(maker.broken, row=row) for row in rows)
        for digest, rows in (("b", (3, 1)), ("a", (9, 3)), ("c", (5,)))
    }
    (tmp_path / "once").mkdir()
    write_failures(tmp_path / "once", told)
    for digest, members in [("a" * 32, (maker.broken,)), *told.items()]:
        add_failures(tmp_path, digest, members)
    assert (tmp_path / FAILURES_FILE).read_bytes() == (
        tmp_path / "once" / FAILURES_FILE
    ).read_bytes()


def test_a_write_makes_no_lines_of_what_earlier_shards_failed_for(
    store: Path, maker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a shard with failures costs does not grow by an object for each earlier failure."""
    last = dataclasses.replace(maker.broken, row=19)
    with open_writer(store, **maker.declaration()) as writer:
        writer.withdraw([last.row])
        monkeypatch.setattr(failures_module, "RowFailure", stop)
        writer.write(16, maker.block(16, 20)[0], failures=[last])
        monkeypatch.undo()
        assert writer.failures() == (maker.broken, last)


def test_no_flipped_bit_of_a_path_or_message_is_read_as_another(store: Path, maker: Any) -> None:
    """Checksums of pages tell; what is read is what was written, or nothing."""
    written = (store / FAILURES_FILE).read_bytes()
    footer = int.from_bytes(written[-8:-4], "little")
    refused = 0
    for place in range(4, len(written) - 8 - footer):
        damaged = bytearray(written)
        damaged[place] ^= 1 << place % 8
        try:
            found = parse_failures(bytes(damaged), source="it")
        except CorruptStoreError:
            refused += 1
        else:
            assert [*found.values()] == [(maker.broken,)]
    damaged = bytearray(written)
    damaged[written.index(b"an empty file")] ^= 1
    (store / FAILURES_FILE).write_bytes(damaged)
    assert {v.law for v in check_store(store)} == {"FS-17", "FS-18"}
    assert refused


def test_failures_without_checksums_are_read(store: Path, maker: Any) -> None:
    """Stores of before they were written stay good."""
    pq.write_table(pq.read_table(store / FAILURES_FILE), store / FAILURES_FILE)
    assert open_store(store).failures() == (maker.broken,)
    assert check_store(store) == []


def test_texts_that_are_not_utf_8_are_damage(store: Path) -> None:
    """A flipped bit of a message is told in one sentence, not by a codec."""
    table = pq.read_table(store / FAILURES_FILE)
    place = table.column_names.index("message")
    texts = pa.array([b"\xff"] * len(table), pa.binary()).view(pa.string())
    broken = table.set_column(place, table.schema.field(place), texts)
    pq.write_table(broken, store / FAILURES_FILE)
    with pytest.raises(CorruptStoreError, match=r"failures\.parquet is damaged"):
        read_failures(store)


def test_a_few_failures_are_shown_and_the_others_counted() -> None:
    """What is printed of many failures fits a few lines."""
    made = [
        RowFailure(row=n, path=f"{n}.png", stage="read", error="OSError", message="gone")
        for n in range(5)
    ]
    assert shown(made) == "0.png (read: gone); 1.png (read: gone); 2.png (read: gone); and 2 more"
    assert shown(made[:1]) == "0.png (read: gone)"
