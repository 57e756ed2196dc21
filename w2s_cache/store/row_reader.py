"""Rows of a store's array, read from disk when they are asked for; memory holds what is asked."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from w2s_cache.errors import StoreError, UnknownNameError
from w2s_cache.store.reader import Store, converted
from w2s_cache.store.row_numbers import row_numbers
from w2s_cache.store.shard import array_offset, corrupt

_OPEN_FILES = 128  # at most; systems allow a process 256 or more


class RowReader:
    """Reads rows of one array of a store, all of which is verified when the reader is made.

    Published shards never change, so what was verified once is read without hashing it again. A
    reader travels to another process as a value and opens, and verifies, there.

    Args:
        store: The store.
        name: Array name.

    Attributes:
        valid: (N,) bool, which rows hold data.

    Raises:
        UnknownNameError: The store has no such array.
        CorruptStoreError: Bytes on disk are not those that were written.
    """

    def __init__(self, store: Store, name: str) -> None:
        specs = {spec.name: spec for spec in store.manifest.arrays}
        if name not in specs:
            raise UnknownNameError("array", name, specs)
        self.valid = store.verify()
        self.store, self.name, self._spec = store, name, specs[name]
        self._kind = np.dtype(self._spec.dtype).newbyteorder("<")
        self._row_bytes = int(np.prod(self._spec.row_shape)) * self._kind.itemsize
        shape, dtype = self._spec.row_shape, self._spec.dtype
        self._offsets = [
            array_offset(
                store.directory / shard.file,
                name,
                shape=(shard.stop - shard.start, *shape),
                dtype=dtype,
            )
            for shard in store.manifest.shards
        ]
        self._shard_rows = store.manifest.shard_rows
        self._files: dict[int, int] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """Handles stay here."""
        return type(self), (self.store, self.name)

    def __del__(self) -> None:
        for descriptor in getattr(self, "_files", {}).values():
            os.close(descriptor)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, *row_shape)."""
        return (self.store.manifest.rows, *self._spec.row_shape)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Read some rows: (M,) integers in any order, repeats allowed → (M, *row_shape).

        Floating arrays become float32, the very values of :meth:`Store.read`.

        Raises:
            StoreError: A row number that the store does not have, or a disk that fails.
            CorruptStoreError: A shard became shorter than it was.
        """
        wanted = row_numbers(rows, self.store.manifest.rows)
        ascending = np.argsort(wanted, kind="stable")
        stored = np.empty((len(wanted), *self._spec.row_shape), self._kind)
        buffer = stored.reshape(-1).view(np.uint8).data
        for first, last, row in _runs(wanted[ascending], self._shard_rows):
            self._fill(row, buffer[first * self._row_bytes : last * self._row_bytes])
        result = np.empty_like(stored)
        result[ascending] = stored
        return converted(result)

    def _fill(self, row: int, buffer: memoryview) -> None:
        number, inside = divmod(row, self._shard_rows)
        place = self._offsets[number] + inside * self._row_bytes
        try:
            count = _read_at(self._descriptor(number), buffer, place)
        except OSError as error:
            raise StoreError(
                f"cannot read {self._path(number)}",
                expected="the file that was verified before",
                found=error.strerror or str(error),
                fix="Check the disk, then run the same command again.",
            ) from error
        if count < len(buffer):
            raise corrupt(self._path(number), f"{len(buffer)} bytes at {place}", f"{count}")

    def _descriptor(self, number: int) -> int:
        if number in self._files:  # it may be 0, in a process without standard input
            return self._files[number]
        if len(self._files) >= _OPEN_FILES:  # the one opened first; rows come from all over
            os.close(self._files.pop(next(iter(self._files))))
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
        self._files[number] = os.open(self._path(number), flags)
        return self._files[number]

    def _path(self, number: int) -> Path:
        return self.store.directory / self.store.manifest.shards[number].file


def _runs(ascending: np.ndarray, shard_rows: int) -> list[tuple[int, int, int]]:
    """Stretches of consecutive rows of one shard: first and last place, and the first row."""
    if not len(ascending):
        return []
    shard = ascending // shard_rows
    breaks = np.flatnonzero((np.diff(ascending) != 1) | (np.diff(shard) != 0)) + 1
    first = np.concatenate([[0], breaks])
    last = np.concatenate([breaks, [len(ascending)]])
    return list(zip(first.tolist(), last.tolist(), ascending[first].tolist(), strict=True))


def _read_at(descriptor: int, buffer: memoryview, place: int) -> int:
    """Fill a buffer from a place of a file; returns how many bytes there were."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [buffer], place)
    os.lseek(descriptor, place, os.SEEK_SET)
    content = os.read(descriptor, len(buffer))
    buffer[: len(content)] = content
    return len(content)
