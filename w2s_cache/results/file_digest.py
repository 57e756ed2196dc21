"""Size and hash of a file beside a record, by which a reader tells it from a damaged one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import xxhash
from pydantic import ConfigDict

from w2s_cache.counted import counted
from w2s_cache.errors import RecordError

FileName = Literal["predictions.parquet", "trace.parquet", "head.safetensors"]
"""The files that may lie beside a record; a record that names another one is refused."""

_BLOCK = 1 << 20  # bytes, small enough to be hashed while in cache


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a record says of a file.

    Args:
        bytes: Its size.
        digest: XXH3-128 of its content, 32 hexadecimal digits.
    """

    bytes: int
    digest: str

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)


def digest_of(content: bytes) -> FileDigest:
    """Size and hash of a file's whole content."""
    return FileDigest(len(content), xxhash.xxh3_128_hexdigest(content))


def verify_file(file: Path, recorded: FileDigest) -> None:
    """Reads a file, however large, block by block and compares it with what is recorded.

    Raises:
        RecordError: It is absent, cannot be read, is longer or shorter, or hashes differently.
    """
    for _ in _verified(file, recorded):
        pass


def read_verified(file: Path, recorded: FileDigest) -> bytes:
    """Reads a file whole; what is returned are the very bytes that were compared.

    Raises:
        RecordError: See :func:`verify_file`.
    """
    return b"".join(_verified(file, recorded))


def _verified(file: Path, recorded: FileDigest) -> Iterator[bytes]:
    """The blocks of a file; raises at its end, or before its first block if its size is wrong."""
    state = xxhash.xxh3_128()
    try:
        with file.open("rb") as opened:
            size = file.stat().st_size
            _compare(file, counted(recorded.bytes, "byte"), counted(size, "byte"))
            while block := opened.read(_BLOCK):
                state.update(block)
                yield block
    except OSError as error:
        found = "no file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise _damaged(file, "the file that its record names", found) from error
    _compare(file, f"XXH3-128 {recorded.digest}", f"XXH3-128 {state.hexdigest()}")


def _compare(file: Path, expected: str, found: str) -> None:
    if found != expected:
        raise _damaged(file, expected, found)


def _damaged(file: Path, expected: str, found: str) -> RecordError:
    return RecordError(
        f"{file} is not as it was written",
        expected=expected,
        found=found,
        fix="Run that method again with the same settings: a damaged run is replaced.",
    )
