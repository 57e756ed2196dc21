"""Arrays of an npz archive, each refused by what it claims to be before memory is taken for it."""

from __future__ import annotations

import contextlib
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

SUFFIX: Final = ".npy"
FREE: Final = 64 << 20
"""Bytes that an array may unpack to, however small it is packed."""
MOST_EXPANDED: Final = 200
"""Larger arrays may unpack to this multiple of their packed size; features and paths stay below."""
_PACKINGS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes
_ENCRYPTED: Final = 1  # a flag of a member
_VERSION: Final = (1, 0)  # of npy; only structured arrays need another


@dataclass(frozen=True, kw_only=True, slots=True)
class NpzArrays:
    """An open archive whose arrays are read by name, and only when their sizes are honest.

    Attributes:
        archive: The archive, open for reading.
        size: Its size in bytes.
    """

    archive: zipfile.ZipFile
    size: int

    @property
    def names(self) -> list[str]:
        """Names of all arrays, in the order of the archive."""
        members = self.archive.namelist()
        return [name.removesuffix(SUFFIX) for name in members if name.endswith(SUFFIX)]

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of this name."""
        return name in self.names

    def read(self, name: str) -> npt.NDArray[Any]:
        """Read one array.

        Raises:
            KeyError: There is none of this name.
            ValueError: It is pickled, no array, or its header, its size in the archive and the
                archive's own size contradict one another.
        """
        if name not in self.names:
            raise KeyError(f"no array {name!r} among {', '.join(self.names) or 'none'}")
        member = self.archive.getinfo(name + SUFFIX)
        if member.compress_type not in _PACKINGS or member.flag_bits & _ENCRYPTED:
            raise ValueError(f"array {name!r} is neither stored nor deflated, or encrypted")
        with self.archive.open(member) as file:
            shape, dtype = _header(file, name)
            stated = file.tell() + math.prod(shape) * dtype.itemsize
        if member.file_size != stated:
            text = f"{member.file_size} bytes where shape {shape} of {dtype} takes {stated}"
            raise ValueError(f"array {name!r} has {text}")
        if member.header_offset + member.compress_size > self.size:
            raise ValueError(f"array {name!r} claims more bytes than the archive has")
        if stated > max(FREE, MOST_EXPANDED * member.compress_size):
            text = f"{member.compress_size} bytes would unpack to {stated}"
            raise ValueError(f"array {name!r} is packed too densely to be numbers: {text}")
        with self.archive.open(member) as file:
            array: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array

    def texts(self, name: str) -> list[str]:
        """Read a vector of strings.

        Raises:
            KeyError, ValueError: As of `read`, or it is no vector.
        """
        array = self.read(name)
        if array.ndim != 1:
            raise ValueError(f"array {name!r} of shape {array.shape}, which is no list")
        texts: list[str] = array.astype(str).tolist()
        return texts


@contextlib.contextmanager
def open_npz(file: Path) -> Iterator[NpzArrays]:
    """Open an archive; reading takes no more memory than its honest arrays.

    Raises:
        ValueError: It is no npz archive, or there is no such file.
        OSError, zipfile.BadZipFile, zlib.error: It is damaged.
    """
    if not zipfile.is_zipfile(file):
        raise ValueError("a file that is no npz archive" if file.exists() else "no such file")
    with zipfile.ZipFile(file) as archive:
        yield NpzArrays(archive=archive, size=file.stat().st_size)


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype that an array claims; the file stands behind its header."""
    if (version := np.lib.format.read_magic(file)) != _VERSION:
        raise ValueError(f"array {name!r} of npy version {version}, not {_VERSION}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError(f"array {name!r} of pickled objects, which are not read")
    if min(shape, default=0) < 0:
        raise ValueError(f"array {name!r} of shape {shape}")
    return shape, dtype
