"""Laws of cutting shards into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.extract.pieces import cut
from w2s_cache.store.grid import shard_ranges


@given(
    rows=st.integers(1, 400),
    shard_rows=st.integers(1, 100),
    batch_size=st.integers(1, 40),
    processes=st.integers(1, 9),
)
def test_pieces_cover_every_shard_and_begin_where_batches_begin(
    rows: int, shard_rows: int, batch_size: int, processes: int
) -> None:
    """Every row is in one piece, no piece leaves its shard, and none divides a batch."""
    shards = shard_ranges(rows, shard_rows)
    pieces = cut(shards, shard_rows=shard_rows, batch_size=batch_size, processes=processes)
    assert [row for p in pieces for row in range(p.start, p.stop)] == list(range(rows))
    stops = dict(shards)
    assert all(p.shard <= p.start < p.stop <= stops[p.shard] for p in pieces)
    assert all((p.start - p.shard) % batch_size == 0 for p in pieces)


def test_a_small_domain_is_shared_by_all_processes() -> None:
    """A single shard of many batches gives every process several pieces; a piece says its place."""
    pieces = cut([(0, 4096)], shard_rows=8192, batch_size=128, processes=4)
    assert len(pieces) == 16
    assert str(pieces[1]) == "rows 256 to 511 of part-00000.h5"


def test_a_full_shard_gives_every_process_one_piece() -> None:
    """Of a large domain, pieces are as long as a shard divided by the processes."""
    shards = shard_ranges(80_000, 8192)
    pieces = cut(shards, shard_rows=8192, batch_size=256, processes=4)
    assert [p.stop - p.start for p in pieces[:5]] == [2048] * 5
