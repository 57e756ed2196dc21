"""Laws of the grid of shards."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.store.grid import on_grid, shard_file, shard_ranges


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 60))
def test_the_grid_covers_all_rows_in_order(rows: int, shard_rows: int) -> None:
    """Shard ranges are adjacent, start at 0, end at rows, and their names are numbered from 0."""
    grid = shard_ranges(rows, shard_rows)
    assert [r for a, b in grid for r in range(a, b)] == list(range(rows))
    names = [shard_file(a, shard_rows) for a, _ in grid]
    assert names == [f"part-{i:05d}.h5" for i in range(len(grid))]


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 9), st.integers(-3, 33), st.integers(-3, 33))
def test_a_range_is_on_the_grid_if_the_grid_has_it(
    rows: int, shard_rows: int, start: int, stop: int
) -> None:
    """What is told by arithmetic is what the list of all ranges says."""
    listed = (start, stop) in shard_ranges(rows, shard_rows)
    assert on_grid(start, stop, rows=rows, shard_rows=shard_rows) == listed
