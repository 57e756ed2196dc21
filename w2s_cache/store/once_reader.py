"""An array of a store read once: every shard's hash, mask and rows come of the same reading."""

from __future__ import annotations

import numpy as np

from w2s_cache.store.domain_command import naming_domain
from w2s_cache.store.layout import VALID_DATASET, Shard
from w2s_cache.store.reader import Store, converted
from w2s_cache.store.row_numbers import row_numbers
from w2s_cache.store.shard import array_offset, array_view, corrupt, read_verified, refuse_sizes


class OnceReader:
    """Reads rows in ascending order, a shard in memory at a time, each shard once.

    Which rows hold data has to be known before any row is read. So the masks, a byte a row, are
    looked up first; they are vouched for with their shards, by the hash that covers them, and only
    after :meth:`finish` for those of which no row was read. Rows that are not asked for in
    ascending order are right too, but their shards are read again.

    Args:
        store: The store.
        name: An array that it declares.

    Attributes:
        valid: (N,) bool, which rows hold data.

    Raises:
        CorruptStoreError: A shard is absent, of another size, or its mask cannot be found.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name = store, name
        (self._spec,) = (spec for spec in store.manifest.arrays if spec.name == name)
        self._unread = set(range(len(store.manifest.shards)))
        self._at = -1  # the shard that the buffer holds
        with naming_domain(store.manifest):
            refuse_sizes(store.directory, store.manifest.shards)
            self.valid = np.concatenate([self._mask(s) for s in store.manifest.shards])
        largest = max(shard.bytes for shard in store.manifest.shards)
        self._buffer = np.empty(largest, dtype=np.uint8)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Read some rows: (M,) integers → (M, *row_shape), the very values of :meth:`Store.read`.

        Raises:
            StoreError: A row number that the store does not have.
            CorruptStoreError: Bytes on disk are not those that were written.
        """
        wanted = row_numbers(rows, self.store.manifest.rows)
        shards = wanted // self.store.manifest.shard_rows
        stored = np.empty((len(wanted), *self._spec.row_shape), self._spec.dtype)
        with naming_domain(self.store.manifest):
            for number in np.unique(shards).tolist():
                here = shards == number
                start = self.store.manifest.shards[number].start
                stored[here] = self._values(number)[wanted[here] - start]
        return converted(stored)

    def finish(self) -> None:
        """Read and hash the shards of which no row was read.

        Raises:
            CorruptStoreError: Bytes on disk are not those that were written.
        """
        with naming_domain(self.store.manifest):
            for number in sorted(self._unread):
                self._load(number)

    def _values(self, number: int) -> np.ndarray:
        if number != self._at:
            self._load(number)
        return self._view(number, self.name, self._spec.row_shape, self._spec.dtype)

    def _load(self, number: int) -> None:
        shard, self._at = self.store.manifest.shards[number], -1
        read_verified(self.store.directory, shard, self._buffer)
        found = self._view(number, VALID_DATASET, (), "bool")
        if not np.array_equal(found, self.valid[shard.start : shard.stop]):
            path = self.store.directory / shard.file
            raise corrupt(path, "the mask that it had before", "another one")
        self._at = number
        self._unread.discard(number)

    def _view(self, number: int, name: str, row_shape: tuple[int, ...], dtype: str) -> np.ndarray:
        shard = self.store.manifest.shards[number]
        shape = (shard.stop - shard.start, *row_shape)
        path = self.store.directory / shard.file
        return array_view(path, name, self._buffer[: shard.bytes], shape=shape, dtype=dtype)

    def _mask(self, shard: Shard) -> np.ndarray:
        path, count = self.store.directory / shard.file, shard.stop - shard.start
        place = array_offset(path, VALID_DATASET, shape=(count,), dtype="bool")
        if place + count > shard.bytes:
            raise corrupt(path, f"{count} bytes of {VALID_DATASET!r}", f"an offset of {place}")
        return np.fromfile(path, dtype=bool, count=count, offset=place)
