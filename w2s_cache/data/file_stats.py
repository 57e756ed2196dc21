"""The side file that spares a warm index build the reading of unchanged images.

It remembers, for one data root, the hash a file had when it had this size, inode and times of
change. It saves time only: it is part of no digest, and losing it costs one reading of the images.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from w2s_cache.store.index import DAMAGED_PARQUET
from w2s_cache.store.parquet_bounds import read_bounded
from w2s_cache.store.publish import make_directory, publish_written

__all__ = ["FileStat", "read_stats", "write_stats"]

_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("ctime_ns", pa.int64()),
        ("inode", pa.int64()),
        ("sha256", pa.string()),
    ]
)
_FIELDS = _SCHEMA.names[1:]  # those of a FileStat
_INODE_BITS = (1 << 63) - 1
_ROOT = b"w2s_cache.root"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    """What was seen of one file.

    Args:
        size: In bytes.
        mtime_ns: When its content was changed, as the file says; anybody may set it.
        ctime_ns: When its content or its entry was changed, as the system says.
        inode: Its number in the file system, the low 63 bits.
        sha256: Its content, in hex.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str

    @classmethod
    def of(cls, status: os.stat_result, sha256: str) -> FileStat:
        """What the system says of a file, with the hash of its content."""
        return cls(
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            ctime_ns=status.st_ctime_ns,
            inode=status.st_ino & _INODE_BITS,
            sha256=sha256,
        )

    def still(self, status: os.stat_result) -> bool:
        """Whether the system says the same of the file now."""
        return self == FileStat.of(status, self.sha256)


def read_stats(path: Path, root: Path) -> dict[str, FileStat]:
    """What is remembered of ``root``, by relative path.

    Nothing is remembered by a file that is absent, was made for another root or cannot be read: all
    of these mean that every image is read again.
    """
    if not path.is_file():
        return {}
    try:
        table = read_bounded(path)
        if table.schema.metadata is None or table.schema.metadata.get(_ROOT) != os.fsencode(root):
            return {}
        if table.schema.names != _SCHEMA.names:
            return {}
        columns = [table.column(name).to_pylist() for name in _SCHEMA.names]
    except DAMAGED_PARQUET:
        return {}
    return {
        name: FileStat(**dict(zip(_FIELDS, values, strict=True)))
        for name, *values in zip(*columns, strict=True)
    }


def write_stats(path: Path, root: Path, stats: Mapping[str, FileStat]) -> None:
    """Replace the side file in one step; `read_stats` undoes it.

    Raises:
        StoreWriteError: If it cannot be written; nothing is left behind then.
    """
    values = [[getattr(stat, name) for stat in stats.values()] for name in _FIELDS]
    columns = [
        pa.array(column, field.type)
        for column, field in zip([list(stats), *values], _SCHEMA, strict=True)
    ]
    schema = _SCHEMA.with_metadata({_ROOT: os.fsencode(root)})
    table = pa.Table.from_arrays(columns, schema=schema)
    make_directory(path.parent)
    publish_written(path, lambda temporary: pq.write_table(table, temporary))
