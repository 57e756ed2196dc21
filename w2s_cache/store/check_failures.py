"""Judge ``failures.parquet`` by FS-17 and FS-18: its form, and whether it names the right rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.failures import RowFailure, read_failures, unexplained
from w2s_cache.store.layout import Manifest


def failures_form(directory: Path) -> Iterator[str]:
    """What is wrong with the file itself."""
    try:
        read_failures(directory)
    except CorruptStoreError as error:
        yield error.found


def failures_rows(
    directory: Path, manifest: Manifest, invalid: Sequence[Sequence[int] | None]
) -> Iterator[str]:
    """Which shards have rows that are not valid without a failure, or the other way about.

    Shards that cannot be read are the business of other laws, as are lines of shards that the
    manifest does not list.

    Args:
        directory: The store.
        manifest: Its manifest.
        invalid: Of each shard the rows that are not valid; None where it has no mask to be read.
    """
    try:
        failures = read_failures(directory)
    except CorruptStoreError:
        failures = {}
    for shard, rows in zip(manifest.shards, invalid, strict=True):
        if rows is None:
            continue
        told: tuple[RowFailure, ...] = failures.get(shard.digest, ())
        if problem := unexplained(rows, told, (shard.start, shard.stop)):
            yield problem
