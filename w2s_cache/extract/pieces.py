"""Shards cut into pieces of whole batches, so that several processes share even a single shard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from w2s_cache.store.grid import shard_file


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Consecutive rows of one shard that one process encodes.

    Attributes:
        shard: First row of the shard.
        file: Name of the shard.
        start: First row of the piece.
        stop: The row after its last one.
    """

    shard: int
    file: str
    start: int
    stop: int

    def __str__(self) -> str:
        return f"rows {self.start} to {self.stop - 1} of {self.file}"


def cut(
    missing: Sequence[tuple[int, int]], *, shard_rows: int, batch_size: int, processes: int
) -> list[Piece]:
    """Cuts missing shards [start, stop) into pieces, in order.

    Batches begin where a single process would begin them, so the numbers are the same where kernels
    are, which on a CPU takes the same number of threads. A piece is
    large enough to keep decoding and encoding busy together and small enough for every process to
    get several in all and, of a full shard, at least one.
    """
    total = sum(stop - start for start, stop in missing)
    share = min(shard_rows / processes, total / (4 * processes))
    rows = max(1, math.ceil(share / batch_size)) * batch_size
    return [
        Piece(
            shard=start,
            file=shard_file(start, shard_rows),
            start=first,
            stop=min(first + rows, stop),
        )
        for start, stop in missing
        for first in range(start, stop, rows)
    ]
