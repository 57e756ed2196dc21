"""What a writer finds in a store: which shards are whole, and which failures still mean a shard."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.failures import ByShard, read_failures, unexplained, write_failures
from w2s_cache.store.layout import FAILURES_FILE, Manifest, Shard
from w2s_cache.store.shard import invalid_rows, read_verified, refuse_sizes


def intact(directory: Path, shards: Sequence[Shard]) -> tuple[Shard, ...]:
    """Return the shards whose bytes are those listed and whose invalid rows have their failures."""
    kept = []
    failures = _readable_failures(directory)
    for shard in shards:
        with contextlib.suppress(CorruptStoreError):  # it will be among the missing
            refuse_sizes(directory, [shard])
            buffer = np.empty(shard.bytes, dtype=np.uint8)
            read_verified(directory, shard, buffer)
            invalid = invalid_rows(directory, shard, buffer)
            bounds = shard.start, shard.stop
            if not unexplained(invalid, failures.get(shard.digest, ()), bounds):
                kept.append(shard)
    return tuple(kept)


def _readable_failures(directory: Path) -> ByShard:
    try:
        return read_failures(directory)
    except CorruptStoreError:  # shards that need it are computed anew
        return {}


def drop_failures(directory: Path, manifest: Manifest) -> None:
    """Remove what is said of shards that are not listed; after the manifest, never before.

    Raises:
        StoreWriteError: no space, no permission.
    """
    known = _readable_failures(directory)
    listed = {shard.digest for shard in manifest.shards}
    kept = {digest: told for digest, told in known.items() if digest in listed}
    if kept != known or (not kept and (directory / FAILURES_FILE).exists()):
        write_failures(directory, kept)
