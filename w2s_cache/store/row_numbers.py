"""The rows that are asked of a store: checked, and found in its shards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from w2s_cache.errors import StoreError
from w2s_cache.store.layout import Manifest, Shard


def row_numbers(rows: np.ndarray, count: int) -> np.ndarray:
    """Return row numbers as (M,) int64.

    Raises:
        StoreError: not a vector of integers, or a number outside [0, count).
    """
    rows = np.asarray(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        found = f"shape {rows.shape}, dtype {rows.dtype}"
    elif rows.size and (rows.min() < 0 or rows.max() >= count):
        found = f"row numbers from {rows.min()} to {rows.max()}"
    else:
        return rows.astype(np.int64)
    raise StoreError(
        "rows that the store does not have are asked for",
        expected=f"a vector of integers in [0, {count})",
        found=found,
        fix="Take row numbers from this store's own index.",
    )


def touched_shards(manifest: Manifest, wanted: np.ndarray | None) -> Sequence[Shard]:
    """The shards of a complete store that hold any of (M,) row numbers; all for None."""
    if wanted is None:
        return manifest.shards
    return [manifest.shards[i] for i in np.unique(wanted // manifest.shard_rows)]


def places(
    shard: Shard, wanted: np.ndarray | None
) -> tuple[slice | np.ndarray, slice | np.ndarray]:
    """Which rows of a shard are wanted, and where among all wanted rows each belongs.

    Args:
        shard: The shard.
        wanted: (M,) row numbers; None for all rows of the store.
    """
    if wanted is None:
        return slice(None), slice(shard.start, shard.stop)
    there = np.flatnonzero((wanted >= shard.start) & (wanted < shard.stop))
    return wanted[there] - shard.start, there
