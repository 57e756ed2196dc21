"""`w2s-cache ls` in the width of a terminal, with what is missing from a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from w2s_cache.store.failures import RowFailure
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.layout import ArraySpec, store_path
from w2s_cache.store.writer import open_writer

LARGEST = 175_327
"""Images of the largest domain of DomainNet."""


@pytest.fixture
def listed(w2s, tmp_path):
    """A function: a store of large numbers and long names is written, the lines are returned."""

    def write(*, shards=1, skipped=0):
        key = {"kind": "image"}
        place = {"dataset": "domainnet", "domain": "infograph", "name": "vit-b-32"}
        directory = store_path(tmp_path, kind="image", key_digest=digest(key), **place)
        spec = ArraySpec(name="features", row_shape=(1,), dtype="float16")
        how = {"rows": LARGEST, "shard_rows": LARGEST // shards, "attributes": {"domain": "x"}}
        with open_writer(directory, kind="image", key=key, arrays=[spec], **how) as writer:
            start, stop = writer.missing()[0]
            named = {"path": "x.png", "stage": "read", "error": "OSError", "message": "gone"}
            gone = [RowFailure(row=row, **named) for row in range(skipped)]
            writer.write(start, {"features": np.ones((stop - start, 1))}, failures=gone)
        lines = w2s("ls", "--cache-dir", tmp_path).stdout.splitlines()
        return lines, directory.relative_to(tmp_path).as_posix()

    return write


def test_a_line_fits_100_columns_and_holds_the_whole_path(listed):
    """The largest domain of DomainNet with skipped images: rows, size, day, skips, path."""
    [line], path = listed(skipped=3)
    rows, size, day, skipped, last = line.split("  ")
    assert (rows, skipped, last) == ("175,327 rows", "3 skipped", path)
    assert size.endswith(" MB")
    assert len(day) == len("2026-01-01")
    assert len(line) <= 100


def test_nothing_is_said_of_skips_where_there_are_none(listed):
    """A whole store has no mark, nor a place for one."""
    [line], path = listed()
    assert line.split("  ")[3:] == [path]


def test_an_unfinished_store_says_how_much_of_it_is_there(listed):
    """The rows that are stored stand before all that there should be, in a line that fits too."""
    [line], _ = listed(shards=3)
    assert line.startswith("58,442 of 175,327 rows  ")
    assert len(line) <= 100


@pytest.mark.parametrize("broken", ["manifest.json", "failures.parquet"])
def test_a_broken_store_stands_last_with_the_reason(copy, w2s, broken):
    """What cannot be read of a store, manifest or skips, is named after the sound stores."""
    first = min(path.parent for path in copy.glob("v1/tiny/**/manifest.json"))
    (first / broken).write_text("no")
    *sound, last = w2s("ls", "--cache-dir", copy).stdout.splitlines()
    assert len(sound) == 4
    assert last.startswith(f"BROKEN {first.relative_to(copy).as_posix()}: ")
    assert "again with the same spec" in last


def test_columns_end_at_the_same_place(cached, w2s):
    """Rows, sizes and days of all stores are aligned, and every path begins where the others do."""
    lines = w2s("ls", "--cache-dir", cached.cache).stdout.splitlines()
    assert len({line.index("  v1/") for line in lines}) == 1
    assert len({line.index(" MB  ") for line in lines}) == 1
    assert {Path(line.split()[-1]).parts[0] for line in lines} == {"v1"}
