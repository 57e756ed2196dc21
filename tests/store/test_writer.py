"""Laws of writing: whole shards, one writer, one key, nothing half-published."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.errors import (
    StaleStoreError,
    StoreError,
    StoreWriteError,
)
from w2s_cache.store.check import check_store
from w2s_cache.store.failures import read_failures, write_failures
from w2s_cache.store.layout import MANIFEST_FILE, ArraySpec
from w2s_cache.store.reader import open_store, read_manifest
from w2s_cache.store.writer import open_writer


def test_a_written_store_is_sound_and_complete(store: Path, maker: Any) -> None:
    """What the writer makes violates no law and reads back as what was given."""
    assert check_store(store) == []
    arrays, failures = maker.block(0, maker.rows)
    valid = np.arange(maker.rows) != maker.invalid_row
    opened = open_store(store, expected_key=maker.key)
    features = opened.read("features")
    assert np.array_equal(features[valid], arrays["features"][valid])
    assert np.isnan(features[~valid]).all()
    assert np.array_equal(opened.valid(), valid)
    assert list(opened.failures()) == failures


def test_missing_lists_whole_shards_until_none_is_left(tmp_path: Path, maker: Any) -> None:
    """Shards may be written in any order; missing shrinks by exactly the one written."""
    with open_writer(tmp_path / "s", **maker.declaration()) as writer:
        assert writer.missing() == [(0, 8), (8, 16), (16, 20)]
        for start, stop in [(16, 20), (0, 8)]:
            arrays, failures = maker.block(start, stop)
            writer.write(start, arrays, failures=failures)
        assert writer.missing() == [(8, 16)]
    with open_writer(tmp_path / "s", **maker.declaration()) as writer:
        assert writer.missing() == [(8, 16)]


def test_order_of_writing_does_not_change_the_bytes(
    tmp_path: Path, maker: Any, store: Path, contents: Any
) -> None:
    """Shards written backwards, in three sittings, are byte-identical to those in order."""
    for start, stop in [(16, 20), (8, 16), (0, 8)]:
        with open_writer(tmp_path / "b", **maker.declaration()) as writer:
            arrays, failures = maker.block(start, stop)
            writer.write(start, arrays, failures=failures)
    assert contents(tmp_path / "b") == contents(store)
    assert read_manifest(tmp_path / "b").shards == read_manifest(store).shards


def test_a_store_keeps_its_shard_size_and_its_attributes(tmp_path: Path, maker: Any) -> None:
    """Resuming with another shard size or device continues on the grid that exists."""
    first = maker.declaration(attributes={"device": "cpu"})
    with open_writer(tmp_path / "s", **first) as writer:
        arrays, failures = maker.block(0, 8)
        writer.write(0, arrays, failures=failures)
    second = maker.declaration(shard_rows=5, attributes={"device": "cuda"})
    with open_writer(tmp_path / "s", **second) as writer:
        assert writer.missing() == [(8, 16), (16, 20)]
        assert writer.manifest.attributes == {"device": "cpu"}


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 16])
def test_any_number_of_rows_fits(tmp_path: Path, maker: Any, rows: int) -> None:
    """Row counts below, at and above multiples of the shard size make sound stores."""
    made = maker.fill(tmp_path / "s", rows=rows)
    assert check_store(made) == []
    assert len(open_store(made).read("features")) == rows


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"key": {"encoder": {"arch": "ViT-B-32", "tag": "laion"}}}, 'encoder.tag = "laion"'),
        ({"key": {}}, "encoder = (absent)"),
        ({"rows": 21}, "rows = 21"),
        ({"arrays": [ArraySpec(name="features", row_shape=(5,), dtype="float32")]}, "row_shape[0]"),
        (
            {"arrays": [ArraySpec(name="features", row_shape=(4,), dtype="float16")]},
            'arrays.features.dtype = "float16"',
        ),
    ],
)
def test_another_key_or_declaration_is_refused_by_field(
    store: Path, maker: Any, contents: Any, changes: dict[str, Any], field: str
) -> None:
    """A store of other settings is not touched; the message names the field and both values."""
    before = contents(store)
    with (
        pytest.raises(StaleStoreError, match="was made with other settings") as caught,
        open_writer(store, **maker.declaration(**changes)),
    ):
        pytest.fail("opened")
    assert field in caught.value.expected
    assert contents(store) == before


def test_each_key_field_counts_and_nothing_else_does(store: Path, maker: Any) -> None:
    """Any single changed key field is a miss that names it; other attributes are a hit."""
    for field in maker.key:
        changed = maker.declaration(key={**maker.key, field: "other"})
        with (
            pytest.raises(StaleStoreError, match=f'{field} = "other"'),
            open_writer(store, **changed),
        ):
            pytest.fail("opened")
    with open_writer(store, **maker.declaration(attributes={"batch_size": 7})) as writer:
        assert writer.missing() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"rows": 0}, "0 rows"),
        ({"shard_rows": 0}, "0 rows per shard"),
        ({"kind": "audio"}, "kind 'audio'"),
        ({"arrays": []}, "no array 'features'"),
        ({"key": {"a": np.int64(1)}}, "int64"),
        ({"attributes": {"device": Path()}}, "field device .*PosixPath|WindowsPath"),
        ({"key": {"a": float("nan")}}, "nan"),
    ],
)
def test_an_impossible_declaration_makes_no_directory(
    tmp_path: Path, maker: Any, changes: dict[str, Any], found: str
) -> None:
    """A declaration that no store can satisfy is refused before anything is made."""
    with (
        pytest.raises(StoreError, match=found),
        open_writer(tmp_path / "s", **maker.declaration(**changes)),
    ):
        pytest.fail("opened")
    assert not (tmp_path / "s").exists()


def test_writes_that_are_not_one_missing_shard_are_refused(tmp_path: Path, maker: Any) -> None:
    """Off the grid, twice, too short, surplus or absent arrays, failures of other rows or twice."""
    arrays, failures = maker.block(0, 8)
    first = dataclasses.replace(maker.broken, row=0)
    with open_writer(tmp_path / "s", **maker.declaration()) as writer:
        for start, given, told in [
            (3, arrays, ()),
            (24, arrays, ()),
            (0, {}, ()),
            (0, {**arrays, "extra": np.ones(8)}, ()),
            (0, {"features": arrays["features"][:7]}, ()),
            (0, arrays, [maker.broken]),
            (0, arrays, [first, first]),
        ]:
            with pytest.raises(StoreError, match="nothing was written"):
                writer.write(start, given, failures=told)
        assert len(writer.missing()) == 3
        writer.write(0, arrays, failures=failures)
        with pytest.raises(StoreError, match="found start 0"):
            writer.write(0, arrays, failures=failures)


def test_leftovers_of_a_dead_writer_are_removed(store: Path, maker: Any) -> None:
    """Temporaries, shards that the manifest does not list and failures of such shards go."""
    for name in ("part-00001.h5.tmp-1", "manifest.json.tmp-99", "part-00007.h5"):
        (store / name).write_bytes(b"half")
    told = read_failures(store)
    write_failures(store, {**told, "0" * 32: (maker.broken,)})  # published before its shard
    maker.fill(store)
    assert not list(store.glob("*tmp*"))
    assert not (store / "part-00007.h5").exists()
    assert read_failures(store) == told


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "empty"])
def test_writing_again_repairs_damaged_shards_only(
    store: Path, maker: Any, contents: Any, damage: str
) -> None:
    """A shard whose bytes changed is missing again, and once rewritten the store is as before."""
    before, victim = contents(store), store / "part-00001.h5"
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    match damage:
        case "flip":
            victim.write_bytes(content)
        case "truncate":
            victim.write_bytes(content[:-1])
        case "empty":
            victim.write_bytes(b"")
        case "remove":
            victim.unlink()
    with open_writer(store, **maker.declaration()) as writer:
        assert writer.missing() == [(8, 16)]
    maker.fill(store)
    assert contents(store) == before
    assert check_store(store) == []


def test_only_one_writer_at_a_time(store: Path, maker: Any) -> None:
    """A second writer of the same store is refused while the first is inside."""
    with (
        open_writer(store, **maker.declaration()),
        pytest.raises(StoreError, match=f"another process is writing.*process {os.getpid()}"),
        open_writer(store, **maker.declaration()),
    ):
        pytest.fail("two writers")


def disk_failure(number: int) -> Any:
    """An action that fails as the disk would."""

    def action() -> None:
        raise OSError(number, os.strerror(number))

    return action


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize(
    "nth", range(1, 11)
)  # six calls for the shard, four up to the new manifest
def test_a_full_or_read_only_disk_publishes_nothing(
    tmp_path: Path, maker: Any, failing_os: Any, nth: int, number: int
) -> None:
    """When the n-th file-system call of a write fails, no temporary and no new shard is visible."""
    with open_writer(tmp_path / "s", **maker.declaration()) as writer:
        arrays, failures = maker.block(0, 8)
        with (
            failing_os(nth, disk_failure(number), steps=("open", "write", "fsync", "replace")),
            pytest.raises(StoreWriteError, match="continues where it stopped"),
        ):
            writer.write(0, arrays, failures=failures)
        assert not list((tmp_path / "s").glob("*.tmp-*"))
        assert json.loads((tmp_path / "s" / MANIFEST_FILE).read_text())["shards"] == []
        writer.write(0, arrays, failures=failures)
        assert writer.missing()[0] == (8, 16)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_directory_that_cannot_be_made_is_a_clear_error(
    tmp_path: Path, maker: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A read-only cache home is refused at once, with what to do.

    Tests run as root, whom permission bits do not stop, so the failure is injected.
    """
    monkeypatch.setattr(Path, "mkdir", lambda *_a, **_k: disk_failure(number)())
    with pytest.raises(StoreWriteError, match="choose another --cache-dir or set W2S_CACHE_HOME"):
        maker.fill(tmp_path / "s")


def test_a_lock_that_cannot_be_made_is_a_clear_error(
    tmp_path: Path, maker: Any, failing_os: Any
) -> None:
    """A store on a disk that turned read-only cannot be locked, and the message says why."""
    with (
        failing_os(1, disk_failure(errno.EROFS), steps=("open",)),
        pytest.raises(StoreWriteError, match="Read-only file system"),
    ):
        maker.fill(tmp_path)


def test_text_and_logits_stores_hold_their_arrays(tmp_path: Path, maker: Any) -> None:
    """Text stores have rows per class, templates and tokens; logits stay float32."""
    text = [
        ArraySpec(name="features", row_shape=(2, 3), dtype="float16"),
        ArraySpec(name="tokens", row_shape=(2, 5), dtype="int32"),
    ]
    values = {
        "features": np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 2, 3),
        "tokens": np.arange(40).reshape(4, 2, 5),
    }
    declared = maker.declaration(kind="text", rows=4, arrays=text)
    with open_writer(tmp_path / "t", **declared) as writer:
        writer.write(0, values)
    opened = open_store(tmp_path / "t")
    assert check_store(tmp_path / "t") == []
    assert opened.read("features").dtype == np.float32
    assert np.array_equal(opened.read("features"), values["features"].astype("f2").astype("f4"))
    assert opened.read("tokens").dtype == np.int32
    assert np.array_equal(opened.read("tokens"), values["tokens"])
