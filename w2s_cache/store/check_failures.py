"""Judge ``failures.parquet`` by FS-17 and FS-18: its form, and whether it names the right rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.failures import RowFailure, read_failures, unexplained
from w2s_cache.store.flat_dataset import flatness_problem
from w2s_cache.store.layout import VALID_DATASET, Manifest, Shard


def failures_form(directory: Path) -> Iterator[str]:
    """What is wrong with the file itself."""
    try:
        read_failures(directory)
    except CorruptStoreError as error:
        yield error.found


def failures_rows(directory: Path, manifest: Manifest) -> Iterator[str]:
    """Which shards have rows that are not valid without a failure, or the other way about.

    Shards that cannot be read are the business of other laws, as are lines of shards that the
    manifest does not list.
    """
    try:
        failures = read_failures(directory)
    except CorruptStoreError:
        failures = {}
    for shard in manifest.shards:
        invalid = _invalid(directory, shard)
        if invalid is None:
            continue
        told: tuple[RowFailure, ...] = failures.get(shard.digest, ())
        if problem := unexplained(invalid, told, (shard.start, shard.stop)):
            yield problem


def _invalid(directory: Path, shard: Shard) -> list[int] | None:
    """Rows of a shard that are not valid; None where it has no mask that could be read."""
    try:
        path = directory / shard.file
        with h5py.File(path, "r", locking=False) as file:
            if flatness_problem(file[VALID_DATASET], path.stat().st_size):
                return None
            valid = np.asarray(file[VALID_DATASET][()], dtype=bool)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError):
        return None
    return [shard.start + int(place) for place in np.flatnonzero(~valid)]
