"""A store shard by shard, each verified first, with the memory of one shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from w2s_cache.store.layout import VALID_DATASET, Manifest, Shard
from w2s_cache.store.shard import array_view, read_verified


def shard_arrays(
    directory: Path, manifest: Manifest
) -> Iterator[tuple[Shard, Mapping[str, np.ndarray]]]:
    """Yields every published shard and its arrays as stored, ``valid`` among them.

    The arrays, each (stop - start, *row_shape) of the declared dtype, are views of one buffer that
    the next step overwrites: copy what is to be kept.

    Raises:
        CorruptStoreError: A shard is absent, or its bytes are not those that were written.
    """
    buffer = np.empty(max((shard.bytes for shard in manifest.shards), default=0), dtype=np.uint8)
    for shard in manifest.shards:
        read_verified(directory, shard, buffer)
        count = shard.stop - shard.start
        shapes = {spec.name: ((count, *spec.row_shape), spec.dtype) for spec in manifest.arrays}
        shapes[VALID_DATASET] = ((count,), "bool")
        yield (
            shard,
            {
                name: array_view(directory / shard.file, name, buffer, shape=shape, dtype=dtype)
                for name, (shape, dtype) in shapes.items()
            },
        )
