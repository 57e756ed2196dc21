"""Laws of reading an array once, in ascending order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.once_reader import OnceReader
from w2s_cache.store.reader import open_store


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("step", [1, 3, 8, 20])
def test_ascending_rows_are_those_of_a_whole_read_and_cost_one(
    maker: Any, tmp_path: Path, shards_read: list[Path], dtype: str, step: int
) -> None:
    """Stretches of any length give the same numbers, and every shard is read once for all."""
    arrays = [ArraySpec(name="features", row_shape=(4,), dtype=dtype)]
    store = open_store(maker.fill(tmp_path / "s", arrays=arrays))
    reader, whole = OnceReader(store, "features"), store.read("features")
    shards_read.clear()
    rows = np.arange(20)
    parts = [reader.read(rows[start : start + step]) for start in range(0, 20, step)]
    reader.finish()
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(reader.valid, rows != 9)
    assert len(shards_read) == len(set(shards_read)) == 3


def test_what_no_row_was_read_of_is_verified_at_the_end(store: Path) -> None:
    """A mask is believed only with the hash of its shard."""
    reader = OnceReader(open_store(store), "features")
    reader.read(np.arange(8))
    content = bytearray((store / "part-00002.h5").read_bytes())
    content[-1] ^= 1
    (store / "part-00002.h5").write_bytes(content)
    with pytest.raises(CorruptStoreError, match="part-00002"):
        reader.finish()


def test_a_mask_that_changed_is_damage(store: Path) -> None:
    """What was chosen by a mask must be what the verified bytes say."""
    reader = OnceReader(open_store(store), "features")
    reader.valid[3] = False
    with pytest.raises(CorruptStoreError, match="the mask that it had before"):
        reader.read(np.array([0]))
