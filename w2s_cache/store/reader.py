"""Read a store: trust only the manifest, verify every byte, keep nothing open."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from w2s_cache.counted import counted
from w2s_cache.errors import StoreError, UnknownNameError
from w2s_cache.store.domain_command import domain_command, naming_domain
from w2s_cache.store.failures import RowFailure, in_force, read_failures, reasons_lost, unexplained
from w2s_cache.store.fingerprint import diff_keys, stale_error
from w2s_cache.store.layout import MANIFEST_FILE, VALID_DATASET, Manifest, Shard
from w2s_cache.store.manifest_json import manifest_from_json
from w2s_cache.store.regular_file import read_regular
from w2s_cache.store.row_numbers import places, row_numbers, touched_shards
from w2s_cache.store.shard import array_view, invalid_rows, read_verified, refuse_sizes

READERS = 2  # reading and hashing release the interpreter; more threads gained nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A complete store on disk; a plain value without open files, so it can be pickled.

    Args:
        directory: Where it is.
        manifest: What it holds.
    """

    directory: Path
    manifest: Manifest

    def read(self, name: str, *, rows: np.ndarray | None = None) -> np.ndarray:
        """Read an array; every shard that is touched is verified as a whole first.

        Args:
            name: Array name, e.g. ``"features"``.
            rows: (M,) integer row numbers in any order, repeats allowed; None for all rows.

        Returns:
            (N or M, *row_shape); float32 for floating arrays, else the stored integers. Invalid
            rows are NaN, or -1 for integers.

        Raises:
            UnknownNameError: the store has no such array.
            StoreError: a row number that the store does not have.
            CorruptStoreError: bytes on disk are not those that were written.
        """
        return self.read_together((name,), rows=rows)[name]

    def valid(self) -> np.ndarray:
        """Read which rows hold data: (N,) bool.

        Every shard is read and hashed for it: who wants an array too asks for both at once, see
        :meth:`read_together`.

        Raises:
            CorruptStoreError: bytes on disk are not those that were written.
        """
        return self.read_together((VALID_DATASET,))[VALID_DATASET]

    def read_together(
        self, names: Sequence[str], *, rows: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Read several arrays of the same rows, every shard that is touched once for all of them.

        Args:
            names: Array names, e.g. ``"features"``; ``"valid"`` is which rows hold data.
            rows: (M,) integer row numbers in any order, repeats allowed; None for all rows.

        Returns:
            By name what :meth:`read` gives; ``"valid"`` is (N or M,) bool.

        Raises:
            UnknownNameError: the store has no such array.
            StoreError: a row number that the store does not have.
            CorruptStoreError: bytes on disk are not those that were written.
        """
        known = {spec.name: (spec.row_shape, spec.dtype) for spec in self.manifest.arrays}
        known[VALID_DATASET] = ((), "bool")
        for name in names:
            if name not in known:
                raise UnknownNameError("array", name, known)
        with naming_domain(self.manifest):
            return self._gather({name: known[name] for name in names}, rows)

    def failures(self) -> tuple[RowFailure, ...]:
        """Read why rows are not valid, by row; empty when all are.

        Raises:
            CorruptStoreError: the file of failures is damaged.
        """
        with naming_domain(self.manifest):
            return in_force(self.directory, self.manifest)

    def verify(self) -> np.ndarray:
        """Read and hash every shard and find every array in it, to keep nothing but the mask.

        Returns:
            (N,) bool, which rows hold data.

        Raises:
            CorruptStoreError: a shard is absent, its bytes are not those that were written, it
                holds another array than the manifest says, or nothing says why a row of it is not
                valid.
        """
        with naming_domain(self.manifest):
            return self._verify()

    def _verify(self) -> np.ndarray:
        valid = np.ones(self.manifest.rows, dtype=bool)
        failures = read_failures(self.directory)
        refuse_sizes(self.directory, self.manifest.shards)

        def sound(shard: Shard, buffer: np.ndarray) -> None:
            for spec in self.manifest.arrays:
                shape = (shard.stop - shard.start, *spec.row_shape)
                path = self.directory / shard.file
                array_view(path, spec.name, buffer, shape=shape, dtype=spec.dtype)
            rows = invalid_rows(self.directory, shard, buffer)
            told = failures.get(shard.digest, ())
            if problem := unexplained(rows, told, (shard.start, shard.stop)):
                raise reasons_lost(self.directory, problem)
            valid[rows] = False

        _visit(self.directory, self.manifest.shards, sound)
        return valid

    def _gather(
        self, forms: Mapping[str, tuple[tuple[int, ...], str]], rows: np.ndarray | None
    ) -> dict[str, np.ndarray]:
        wanted = None if rows is None else row_numbers(rows, self.manifest.rows)
        count = self.manifest.rows if wanted is None else len(wanted)
        touched = touched_shards(self.manifest, wanted)
        width = sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in forms.values())
        refuse_sizes(self.directory, touched, width=width)
        results = {
            name: np.empty((count, *shape), dtype="float32" if dtype.startswith("float") else dtype)
            for name, (shape, dtype) in forms.items()
        }

        def place(shard: Shard, buffer: np.ndarray) -> None:
            here, there = places(shard, wanted)
            for name, (row_shape, dtype) in forms.items():
                shape = (shard.stop - shard.start, *row_shape)
                path = self.directory / shard.file
                source = array_view(path, name, buffer, shape=shape, dtype=dtype)
                if wanted is None:
                    _convert(source, results[name][there])
                else:
                    results[name][there] = source[here]

        _visit(self.directory, touched, place)
        return results


def open_store(directory: Path | str, *, expected_key: Mapping[str, object] | None = None) -> Store:
    """Open a complete store; takes no lock and never sees a half-written state.

    Args:
        directory: The store.
        expected_key: When given, the key that the store must have.

    Raises:
        StoreError: there is no store, or it is incomplete.
        CorruptStoreError: its manifest is damaged.
        StaleStoreError: it was made with another key; each field that differs is named.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    if expected_key is not None and (differences := diff_keys(manifest.key, expected_key)):
        what = f"{directory} was made with other settings"
        raise stale_error(
            what, differences, fix=f"Run `{domain_command(manifest)}` for these settings."
        )
    if not manifest.complete:
        raise StoreError(
            f"{directory} is incomplete",
            expected=counted(manifest.rows, "row"),
            found=f"{manifest.stored_rows} of {counted(manifest.rows, 'row')}",
            fix=f"Run `{domain_command(manifest)}` again with the same spec: it computes only the "
            "rest.",
        )
    return Store(directory=directory, manifest=manifest)


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a store, complete or not.

    Raises:
        StoreError: there is none, or it cannot be read.
        CorruptStoreError: it is damaged.
    """
    path = directory / MANIFEST_FILE
    try:
        text = read_regular(path)
    except OSError as error:
        raise StoreError(
            f"no feature store at {directory}",
            expected=f"a readable {MANIFEST_FILE}",
            found=error.strerror or str(error),
            fix="Run `w2s-cache extract` to make it.",
        ) from error
    return manifest_from_json(text, source=str(path))


def _visit(
    directory: Path, shards: Sequence[Shard], place: Callable[[Shard, np.ndarray], None]
) -> None:
    def visit(part: Sequence[Shard]) -> None:
        buffer = np.empty(max(shard.bytes for shard in part), dtype=np.uint8)
        for shard in part:
            read_verified(directory, shard, buffer)
            place(shard, buffer)

    parts = [shards[i::READERS] for i in range(READERS) if shards[i::READERS]]
    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(visit, parts))


def converted(stored: np.ndarray) -> np.ndarray:
    """Return what readers see of stored values: float32 for floating ones, others as they are."""
    if stored.dtype.kind != "f":
        return stored
    result = np.empty(stored.shape, np.float32)
    _convert(stored, result)
    return result


def _convert(source: np.ndarray, target: np.ndarray) -> None:
    if source.dtype == target.dtype:
        target[...] = source
        return
    import torch  # its float16 conversion is five times as fast as numpy's

    torch.from_numpy(target).copy_(torch.from_numpy(source))
