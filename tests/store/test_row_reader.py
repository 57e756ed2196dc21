"""Laws of reading single rows from a store."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.errors import CorruptStoreError, StoreError, UnknownNameError
from w2s_cache.store import row_reader
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.reader import open_store
from w2s_cache.store.row_reader import RowReader

ORDERS = [[], [0], [7, 8], [19, 0, 19, 9, 8, 3], list(range(20)), list(range(19, -1, -1))]


@pytest.mark.parametrize("rows", ORDERS)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rows_are_those_of_the_whole_array(
    maker: Any, tmp_path: Path, dtype: str, rows: list[int]
) -> None:
    """Any order, repeats and stretches across shards give the very rows of a full read."""
    arrays = [ArraySpec(name="features", row_shape=(4,), dtype=dtype)]
    store = open_store(maker.fill(tmp_path / "s", arrays=arrays))
    wanted = np.array(rows, dtype=np.int64)
    found = RowReader(store, "features").read(wanted)
    whole = store.read("features")
    assert (found.dtype, found.shape) == (np.float32, (len(rows), 4))
    np.testing.assert_array_equal(found, whole[wanted])


def test_reading_without_positioned_reads_gives_the_same(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has no preadv, seeking and reading do."""
    monkeypatch.delattr(row_reader.os, "preadv", raising=False)
    rows = np.array([3, 12, 19])
    opened = open_store(store)
    found = RowReader(opened, "features").read(rows)
    np.testing.assert_array_equal(found, opened.read("features", rows=rows))


def test_few_files_are_open_at_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many shards only some files stay open, and every row is found."""
    monkeypatch.setattr(row_reader, "_OPEN_FILES", 1)
    reader = RowReader(open_store(store), "features")
    for row in (0, 10, 19, 1):
        np.testing.assert_array_equal(reader.read(np.array([row]))[:, 0], [row])
        assert len(reader._files) == 1


def test_a_reader_travels_as_a_value(store: Path) -> None:
    """Handles are not pickled; the copy opens its own."""
    reader = RowReader(open_store(store), "features")
    before = reader.read(np.arange(4))
    copy = pickle.loads(pickle.dumps(reader))  # noqa: S301 - our own bytes
    assert copy._files == {}
    np.testing.assert_array_equal(copy.read(np.arange(4)), before)


def test_damage_is_found_before_the_first_row(store: Path) -> None:
    """Every shard is verified when the reader is made."""
    path = store / "part-00001.h5"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CorruptStoreError, match="part-00001"):
        RowReader(open_store(store), "features")


def test_a_shard_that_is_cut_later_is_refused(store: Path) -> None:
    """A file that loses its end is an error with its name, not a crash."""
    reader = RowReader(open_store(store), "features")
    path = store / "part-00002.h5"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CorruptStoreError, match="part-00002"):
        reader.read(np.array([17]))


def test_unknown_arrays_and_rows_are_refused(store: Path) -> None:
    """An array or a row that the store does not have."""
    with pytest.raises(UnknownNameError, match="logits"):
        RowReader(open_store(store), "logits")
    with pytest.raises(StoreError, match=r"integers in \[0, 20\)"):
        RowReader(open_store(store), "features").read(np.array([20]))


def test_a_shard_that_got_descriptor_zero_is_opened_once(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process without standard input the first file has the number 0, and is kept open."""
    reader = RowReader(open_store(store), "features")
    opened, real = [], os.open

    def first_gets_zero(path: Path, flags: int) -> int:
        opened.append(path)
        return real(path, flags)

    aside = os.dup(0)
    os.close(0)
    try:
        monkeypatch.setattr(row_reader.os, "open", first_gets_zero)
        for row in (0, 1, 2):
            reader.read(np.array([row]))
        assert list(reader._files.values()) == [0]
        assert len(opened) == 1
    finally:
        monkeypatch.undo()
        del reader
        os.dup2(aside, 0)
        os.close(aside)
