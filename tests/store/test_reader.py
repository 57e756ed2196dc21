"""Laws of reading: verified, complete, without locks or handles."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.errors import (
    CorruptStoreError,
    StaleStoreError,
    StoreError,
    UnknownNameError,
)
from w2s_cache.store.layout import MANIFEST_FILE, ArraySpec
from w2s_cache.store.reader import Store, open_store
from w2s_cache.store.writer import open_writer


def test_float16_comes_back_as_the_same_numbers_in_float32(tmp_path: Path, maker: Any) -> None:
    """Every float16 bit pattern that is finite reads back as its exact float32 value."""
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    every = np.where(np.isfinite(every), every, 0).astype(np.float16).reshape(-1, 16)
    spec = [ArraySpec(name="features", row_shape=(16,), dtype="float16")]
    declared = maker.declaration(rows=len(every), arrays=spec, shard_rows=1000)
    with open_writer(tmp_path / "s", **declared) as writer:
        for start, stop in writer.missing():
            writer.write(start, {"features": every[start:stop]})
    features = open_store(tmp_path / "s").read("features")
    assert features.dtype == np.float32
    assert np.array_equal(features, every.astype(np.float32))


def test_some_rows_are_the_rows_of_the_whole(store: Path) -> None:
    """Rows may be asked for in any order, across shards, with repeats, or none at all."""
    opened = open_store(store)
    rows = np.array([19, 0, 8, 7, 8, 15, 16])
    assert np.array_equal(opened.read("features", rows=rows), opened.read("features")[rows])
    assert opened.read("features", rows=np.array([], dtype=np.int64)).shape == (0, 4)


@pytest.mark.parametrize("rows", [None, np.array([19, 0, 9, 9])])
def test_arrays_read_together_are_those_read_alone(
    store: Path, shards_read: list[Path], rows: np.ndarray | None
) -> None:
    """The same numbers, and every shard that is touched is read once for all arrays."""
    opened = open_store(store)
    found = opened.read_together(("features", "valid"), rows=rows)
    assert len(shards_read) == len(set(shards_read)) == 3
    np.testing.assert_array_equal(found["features"], opened.read("features", rows=rows))
    np.testing.assert_array_equal(found["valid"], opened.valid() if rows is None else rows != 9)
    with pytest.raises(UnknownNameError, match="logits"):
        opened.read_together(("features", "logits"))


def test_verifying_tells_which_rows_hold_data(store: Path) -> None:
    """The mask comes of the same bytes; nobody has to read them again for it."""
    np.testing.assert_array_equal(open_store(store).verify(), np.arange(20) != 9)


def test_some_rows_need_their_own_shards_only(store: Path) -> None:
    """A damaged shard spoils no read that does not touch it."""
    (store / "part-00001.h5").write_bytes(b"")
    opened = open_store(store)
    assert opened.read("features", rows=np.array([0, 19])).shape == (2, 4)
    with pytest.raises(CorruptStoreError):
        opened.read("features", rows=np.array([8]))


@pytest.mark.parametrize("rows", [[-1], [20], [0.5], [[0]], [True]])
def test_rows_that_do_not_exist_are_refused(store: Path, rows: list[Any]) -> None:
    """Negative, too large and non-integer row numbers are errors, not wrap-arounds."""
    with pytest.raises(StoreError, match=r"integers in \[0, 20\)"):
        open_store(store).read("features", rows=np.array(rows))


def test_a_path_may_be_a_string(store: Path) -> None:
    """Whoever types a path in a notebook gets the same store."""
    assert open_store(str(store)) == open_store(store)


def test_an_unknown_array_names_those_that_exist(store: Path) -> None:
    """The error offers the nearest name."""
    with pytest.raises(UnknownNameError, match="Did you mean 'features'"):
        open_store(store).read("feature")


@pytest.mark.parametrize("position", ["header", "data", "last byte"])
def test_one_flipped_bit_anywhere_is_found(store: Path, position: str) -> None:
    """A single flipped bit in metadata, numbers or padding is refused with both digests."""
    path = store / "part-00001.h5"
    content = bytearray(path.read_bytes())
    offset = {"header": 3, "data": content.index(np.float32(10.25).tobytes()), "last byte": -1}
    content[offset[position]] ^= 1
    path.write_bytes(content)
    opened = open_store(store)
    listed = opened.manifest.shards[1].digest
    with pytest.raises(CorruptStoreError, match=f"part-00001.h5 is damaged.*{listed}") as caught:
        opened.read("features")
    assert "XXH3-128" in caught.value.found
    assert "Run `w2s-cache extract` again" in caught.value.fix
    for touch in (opened.valid, opened.verify):
        with pytest.raises(CorruptStoreError):
            touch()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda p: p.unlink(), "no file"),
        (lambda p: p.write_bytes(p.read_bytes()[:-1]), r"\d+ bytes"),
        (lambda p: p.write_bytes(p.read_bytes() + b"x"), r"\d+ bytes"),
        (lambda p: p.write_bytes(b""), "0 bytes"),
    ],
)
def test_a_missing_or_resized_shard_is_found(store: Path, damage: Any, found: str) -> None:
    """A shard that vanished, shrank or grew is refused, naming it and what was found."""
    damage(store / "part-00002.h5")
    with pytest.raises(CorruptStoreError, match=f"part-00002.h5 is damaged.*found {found}"):
        open_store(store).read("features")


def test_an_incomplete_store_says_how_much_is_there_and_what_completes_it(
    tmp_path: Path, maker: Any
) -> None:
    """Preallocation never shows: 8 of 20 rows is an error that names the command."""
    declared = maker.declaration(attributes={"domain": "real"})
    with open_writer(tmp_path / "s", **declared) as writer:
        arrays, failures = maker.block(0, 8)
        writer.write(0, arrays, failures=failures)
    with pytest.raises(StoreError, match=r"8 of 20 rows.*`w2s-cache extract --domain real` again"):
        open_store(tmp_path / "s")


def test_no_store_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    """An empty directory is no store."""
    with pytest.raises(StoreError, match=r"no feature store at .*Run `w2s-cache extract`"):
        open_store(tmp_path)


def test_another_key_is_refused_by_field(store: Path, maker: Any) -> None:
    """The reader names the field that differs with the stored and the wanted value."""
    wanted = {**maker.key, "encoder": {"arch": "ViT-B-16", "tag": "openai"}}
    with pytest.raises(StaleStoreError) as caught:
        open_store(store, expected_key=wanted)
    assert caught.value.expected == 'encoder.arch = "ViT-B-16"'
    assert caught.value.found == 'encoder.arch = "ViT-B-32"'


def test_a_moved_store_reads_the_same(store: Path, tmp_path: Path) -> None:
    """Nothing in a store refers to where it was made."""
    before = open_store(store).read("features")
    shutil.move(store, tmp_path / "elsewhere")
    assert np.array_equal(
        open_store(tmp_path / "elsewhere").read("features"), before, equal_nan=True
    )


def shape_of(opened: Store) -> tuple[int, ...]:
    """Read in a worker process."""
    return opened.read("features").shape


def test_a_store_travels_to_another_process(store: Path) -> None:
    """A store holds no handle: it pickles small, equal, and reads in a spawned process's copy."""
    opened = open_store(store)
    opened.read("features")
    copy = pickle.loads(pickle.dumps(opened))  # noqa: S301  # our own bytes
    assert copy == opened
    assert len(pickle.dumps(opened)) < 5000
    if hasattr(os, "fork"):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(shape_of, (opened,)) == (20, 4)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts handles through /proc")
def test_reading_leaves_nothing_open(store: Path) -> None:
    """After a read the process has no handle on the store."""
    open_store(store).read("features")
    links = [os.readlink(p) for p in Path("/proc/self/fd").iterdir() if p.is_symlink()]  # noqa: PTH115
    assert not [link for link in links if str(store) in link]


def test_a_reader_needs_no_write_access(store: Path) -> None:
    """Reading creates, locks and changes nothing in the directory."""
    before = {p.name: p.stat().st_mtime_ns for p in store.iterdir()}
    (store / ".writer.lock").unlink()
    before.pop(".writer.lock")
    open_store(store).read("features")
    assert {p.name: p.stat().st_mtime_ns for p in store.iterdir()} == before


def test_readers_during_a_write_see_nothing_or_everything(tmp_path: Path, maker: Any) -> None:
    """While a writer works, every open either is refused as incomplete or reads all rows."""
    directory, done = tmp_path / "s", threading.Event()

    def write() -> None:
        maker.fill(directory, rows=160)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.wait(0.001):
        try:
            features = open_store(directory).read("features")
        except CorruptStoreError:
            pytest.fail("a reader saw a half-written state")
        except StoreError:
            continue
        assert np.isfinite(features[160 - 8 :]).all()
    writer.join()
    assert open_store(directory).read("features").shape == (160, 4)


def test_a_manifest_that_lies_about_an_array_is_found(store: Path) -> None:
    """Verified bytes that do not hold the declared dtype are damage, not other numbers."""
    path = store / MANIFEST_FILE
    path.write_text(path.read_text().replace('"dtype": "float32"', '"dtype": "float16"'))
    with pytest.raises(CorruptStoreError, match=r"'features' of shape .*float16, found .*float32"):
        open_store(store).read("features")
    with pytest.raises(CorruptStoreError, match=r"'features' of shape .*float16, found .*float32"):
        open_store(store).verify()  # or extraction would call a hit what nobody can read
