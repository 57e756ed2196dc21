"""The grid of a store: which rows each shard holds, and what it is called."""

from __future__ import annotations


def shard_ranges(rows: int, shard_rows: int) -> list[tuple[int, int]]:
    """Return the row ranges [start, stop) of all shards of a complete store."""
    return [(start, min(start + shard_rows, rows)) for start in range(0, rows, shard_rows)]


def shard_file(start: int, shard_rows: int) -> str:
    """Name the shard whose first row is ``start``."""
    return f"part-{start // shard_rows:05d}.h5"


def on_grid(start: int, stop: int, *, rows: int, shard_rows: int) -> bool:
    """Whether [start, stop) is the range of one shard; nothing is listed to find out."""
    return 0 <= start < rows and start % shard_rows == 0 and stop == min(start + shard_rows, rows)
