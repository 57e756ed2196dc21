"""One shard: its bytes from arrays, its hash while reading, its arrays back from its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import cast

import h5py
import numpy as np
import xxhash

from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.layout import ROW_DATASET, SCHEMA, VALID_DATASET, Shard
from w2s_cache.store.regular_file import open_regular

LIBVER = ("v108", "v110")  # pinned: the defaults change between versions of HDF5
READ_BLOCK = 1 << 20  # bytes, small enough to be hashed while in cache
AGAIN = "Run `w2s-cache extract` again with the same spec: it computes damaged shards anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardHeader:
    """The root attributes of a shard file; they make a stray file identifiable."""

    kind: str
    key_digest: str
    start: int
    stop: int

    def attributes(self) -> dict[str, str | int]:
        """Return the attributes by name, as they stand in the file."""
        names = {"kind": self.kind, "key_digest": self.key_digest}
        return {"schema": SCHEMA, **names, "start": self.start, "stop": self.stop}


def shard_bytes(
    header: ShardHeader, arrays: Mapping[str, np.ndarray], *, valid: np.ndarray
) -> bytes:
    """Lay a shard out as an HDF5 file in memory; equal arguments give equal bytes.

    Args:
        header: Its root attributes.
        arrays: Name to (R, …) in stored form, written contiguously in the mapping's order.
        valid: (R,) bool.
    """
    rows = np.arange(header.start, header.stop, dtype="<i8")
    with h5py.File("shard", "w", driver="core", backing_store=False, libver=LIBVER) as file:
        for name, value in header.attributes().items():
            file.attrs[name] = value
        for name, values in {**arrays, ROW_DATASET: rows, VALID_DATASET: valid}.items():
            file.create_dataset(name, data=values, track_times=False)
        file.flush()
        return bytes(file.id.get_file_image())


def content_digest(content: bytes) -> str:
    """Return XXH3-128 of a file's content, 32 hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(content)


def refuse_sizes(directory: Path, shards: Iterable[Shard], *, width: int = 0) -> None:
    """Compares the sizes of files with the manifest's, before memory is taken for them.

    Args:
        directory: The store.
        shards: The manifest's entries.
        width: Bytes per row that each of them must at least have.

    Raises:
        CorruptStoreError: a file is absent, longer or shorter, or too short for its rows.
    """
    for shard in shards:
        path = directory / shard.file
        try:
            size = path.stat().st_size
        except OSError as error:
            found = "no file" if isinstance(error, FileNotFoundError) else str(error.strerror)
            raise corrupt(path, "the file that the manifest lists", found) from error
        if size != shard.bytes:
            raise corrupt(path, f"{shard.bytes} bytes", f"{size} bytes")
        if size < (needed := width * (shard.stop - shard.start)):
            raise corrupt(path, f"the {needed} bytes of its rows", f"{size} bytes")


def read_verified(directory: Path, shard: Shard, buffer: np.ndarray) -> None:
    """Read a whole shard file into a buffer and compare its hash with the manifest's.

    Args:
        directory: The store.
        shard: The manifest's entry.
        buffer: (at least ``shard.bytes``,) uint8; afterwards its head holds the file.

    Raises:
        CorruptStoreError: the file is absent, longer or shorter, or hashes differently.
    """
    size, found = read_hashed(directory / shard.file, buffer[: shard.bytes])
    if size != shard.bytes:
        raise corrupt(directory / shard.file, f"{shard.bytes} bytes", f"{size} bytes")
    if found != shard.digest:
        raise corrupt(directory / shard.file, f"XXH3-128 {shard.digest}", f"XXH3-128 {found}")


def read_hashed(path: Path, buffer: np.ndarray) -> tuple[int, str]:
    """Read a file into a uint8 buffer and hash each block while it is in cache.

    Returns:
        The file's size, which may exceed the buffer, and XXH3-128 of what the buffer took.

    Raises:
        CorruptStoreError: the file is absent.
        StoreError: the file cannot be read.
    """
    state, view, filled = xxhash.xxh3_128(), buffer.data, 0
    try:
        with cast("FileIO", open_regular(path, buffering=0)) as file:
            while count := file.readinto(view[filled : filled + READ_BLOCK]):
                state.update(view[filled : filled + count])
                filled += count
            return max(filled, path.stat().st_size), state.hexdigest()
    except FileNotFoundError as error:
        raise corrupt(path, "the file that the manifest lists", "no file") from error
    except OSError as error:
        raise StoreError(
            f"cannot read {path}",
            expected="a readable file",
            found=error.strerror or str(error),
            fix="Check the disk and the file's permissions.",
        ) from error


def array_view(
    path: Path, name: str, buffer: np.ndarray, *, shape: tuple[int, ...], dtype: str
) -> np.ndarray:
    """Find an array inside the verified bytes of a shard.

    Args:
        path: The shard file, see ``array_offset``.
        name: Dataset name.
        buffer: The file's bytes, uint8.
        shape: (R, …) the array must have.
        dtype: The dtype it must have.

    Returns:
        A view of the buffer, of that shape and dtype.

    Raises:
        CorruptStoreError: no such dataset, another shape or dtype, not contiguous, or beyond the
            file's end.
    """
    offset = array_offset(path, name, shape=shape, dtype=dtype)
    kind = np.dtype(dtype).newbyteorder("<")
    count = int(np.prod(shape))
    if offset + count * kind.itemsize > len(buffer):
        wanted = f"{count * kind.itemsize} bytes of {name!r} inside the file"
        raise corrupt(path, wanted, f"an offset of {offset} in {len(buffer)} bytes")
    return np.frombuffer(buffer, kind, count=count, offset=offset).reshape(shape)


def array_offset(path: Path, name: str, *, shape: tuple[int, ...], dtype: str) -> int:
    """Return where in a shard file an array begins, in bytes, as its HDF5 metadata says.

    Raises:
        CorruptStoreError: no such dataset, another shape or dtype, or not contiguous.
    """
    wanted = f"contiguous dataset {name!r} of shape {shape}, {dtype}"
    try:
        with h5py.File(path, "r", locking=False) as file:
            dataset = file[name]
            found, offset = (dataset.shape, dataset.dtype.name), dataset.id.get_offset()
    except (OSError, KeyError, AttributeError) as error:
        raise corrupt(path, wanted, f"unreadable HDF5 ({error})") from error
    if found != (shape, dtype) or offset is None:
        place = "no single place in the file" if offset is None else "contiguous"
        raise corrupt(path, wanted, f"shape {found[0]}, {found[1]}, {place}")
    return int(offset)


def invalid_rows(directory: Path, shard: Shard, buffer: np.ndarray) -> list[int]:
    """Find the rows without data in the verified bytes of a shard.

    Raises:
        CorruptStoreError: it has no mask.
    """
    path, shape = directory / shard.file, (shard.stop - shard.start,)
    valid = array_view(path, VALID_DATASET, buffer, shape=shape, dtype="bool")
    return [shard.start + int(place) for place in np.flatnonzero(~valid)]


def corrupt(path: Path, expected: str, found: str) -> CorruptStoreError:
    """Build the error for a damaged shard."""
    return CorruptStoreError(f"{path} is damaged", expected=expected, found=found, fix=AGAIN)
