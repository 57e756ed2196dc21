"""The index: which image is row ``i`` of every array of a domain.

A row is named by the relative posix path of its image. Rows are sorted bytewise by that path, so
no listing order, file system or machine can renumber them. The digests name the content: a feature
store carries the digest of the index it was made from, and an index that differs is other data.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from w2s_cache.counted import counted
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.index_rows import first_bad_hash, first_bad_path
from w2s_cache.store.parquet_bounds import read_bounded
from w2s_cache.store.publish import make_directory, publish
from w2s_cache.store.shallow_json import parse_json

__all__ = [
    "DAMAGED_PARQUET",
    "INDEX_SCHEMA",
    "UNREAD",
    "Index",
    "parse_index",
    "read_index",
    "write_index",
]

INDEX_SCHEMA = "w2s-cache/index/1"
UNREAD = "0" * 64
"""The digest of a file that could not be read; its size is 0, its row is invalid everywhere."""
DAMAGED_PARQUET = (pa.ArrowException, OSError, LookupError, ValueError, TypeError, ArithmeticError)
"""What reading a parquet file raises when a byte of it was changed."""
_META = b"w2s_cache.index"
_COLUMNS = pa.schema(
    [
        ("row", pa.int64()),
        ("path", pa.string()),
        ("label", pa.int64()),
        ("class", pa.string()),
        ("split", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Index:
    """All rows of one domain. Two indexes are the same data exactly when their ``digest`` agrees.

    Args:
        dataset: Name of the data set.
        domain: Name of the domain.
        classes: (C,) class names; position is label.
        paths: (N,) relative posix paths, strictly ascending bytewise.
        labels: (N,) int64 in [0, C).
        is_train: (N,) bool, True where the row belongs to the official training half.
        sizes: (N,) int64, bytes.
        sha256: (N,) lower-case hex digests of the files; :data:`UNREAD` where there was none.

    Raises:
        StoreError: If the columns contradict one another or a law above.
    """

    dataset: str
    domain: str
    classes: tuple[str, ...]
    paths: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    is_train: npt.NDArray[np.bool_]
    sizes: npt.NDArray[np.int64]
    sha256: tuple[str, ...]
    images_digest: str = field(init=False)
    """sha256 over the lines ``path NUL sha256``: what image features depend on."""
    digest: str = field(init=False)
    """sha256 over everything: names, classes in order, paths, labels, split, sizes, contents."""

    def __post_init__(self) -> None:
        for name, dtype in (("labels", np.int64), ("is_train", np.bool_), ("sizes", np.int64)):
            column = np.array(getattr(self, name), dtype=dtype)
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        problem = _first_problem(self)
        if problem is not None:
            what, fix = (
                f"index of {self.dataset}/{self.domain}",
                "Build it again from the data set.",
            )
            raise StoreError(what, expected=problem[0], found=problem[1], fix=fix)
        object.__setattr__(self, "images_digest", _images_digest(self))
        object.__setattr__(self, "digest", _full_digest(self))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.paths)

    def __repr__(self) -> str:
        """Name, counts and digest in place of rows."""
        counts = f"{counted(len(self), 'row')}, {int(self.is_train.sum()):,} of them train"
        classes = counted(len(self.classes), "class")
        return f"Index({self.dataset}/{self.domain}: {counts}, {classes}, {self.digest[:12]})"


def write_index(path: Path, index: Index) -> None:
    """Write an index as parquet: beside, synced, then renamed; ``read_index`` undoes it.

    Raises:
        StoreWriteError: If the file cannot be written; nothing is left behind then.
    """
    columns = [
        pa.array(np.arange(len(index), dtype=np.int64)),
        pa.array(index.paths, pa.string()),
        pa.array(index.labels),
        pa.array([index.classes[label] for label in index.labels], pa.string()),
        pa.array(np.where(index.is_train, "train", "test").tolist(), pa.string()),
        pa.array(index.sizes),
        pa.array(index.sha256, pa.string()),
    ]
    about = {
        "schema": INDEX_SCHEMA,
        "dataset": index.dataset,
        "domain": index.domain,
        "classes": index.classes,
        "digest": index.digest,
    }
    schema = _COLUMNS.with_metadata({_META: json.dumps(about, sort_keys=True).encode()})
    content = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), content)
    make_directory(path.parent)
    publish(path, content.getvalue().to_pybytes())


def read_index(path: Path) -> Index:
    """Read an index and check it against the digest it carries.

    Raises:
        StoreError: If there is no such file.
        CorruptStoreError: If the file is not an index, or its rows are not those that were written.
    """
    if not path.is_file():
        fix = "Run `w2s-cache extract` for this domain."
        raise StoreError(f"index {path}", expected="a file", found="no such file", fix=fix)
    return parse_index(path, source=str(path))


def parse_index(content: Path | bytes, *, source: str) -> Index:
    """Read an index from its file or its bytes; ``source`` is its name in errors.

    Raises:
        CorruptStoreError: If it is not an index, or its rows are not those that were written.
    """
    try:
        table = read_bounded(content)
        about = parse_json((table.schema.metadata or {})[_META])
        if about["schema"] != INDEX_SCHEMA or not table.schema.equals(_COLUMNS):
            found = ", ".join(f"{column.name} {column.type}" for column in table.schema)
            raise ValueError(f"schema {about['schema']!r} with columns {found}")
        if any(column.null_count for column in table.columns):
            raise ValueError("empty cells")
        index = _from_table(table, about)
        stored = about["digest"]
    except (*DAMAGED_PARQUET, StoreError) as error:
        raise _corrupt(source, "a whole index file", f"{type(error).__name__}: {error}") from error
    if index.digest != stored:
        raise _corrupt(source, f"rows with digest {stored}", f"rows with digest {index.digest}")
    return index


def _from_table(table: Any, about: dict[str, Any]) -> Index:
    column = {name: table.column(name) for name in table.schema.names}
    split = column["split"].to_pylist()
    if not set(split) <= {"train", "test"}:
        raise ValueError(f"split values {sorted(set(map(str, split)))}")
    index = Index(
        dataset=about["dataset"],
        domain=about["domain"],
        classes=tuple(about["classes"]),
        paths=tuple(column["path"].to_pylist()),
        labels=column["label"].to_numpy(),
        is_train=np.array([half == "train" for half in split], dtype=np.bool_),
        sizes=column["bytes"].to_numpy(),
        sha256=tuple(column["sha256"].to_pylist()),
    )
    if column["row"].to_pylist() != list(range(len(index))):
        raise ValueError("row numbers that do not count from 0")
    if column["class"].to_pylist() != [index.classes[label] for label in index.labels]:
        raise ValueError("class names that do not belong to their labels")
    return index


def _corrupt(source: str, expected: str, found: str) -> CorruptStoreError:
    fix = "Delete it and run `w2s-cache extract` for this domain again."
    return CorruptStoreError(f"index {source}", expected=expected, found=found, fix=fix)


def _first_problem(index: Index) -> tuple[str, str] | None:
    """(expected, found) of the first broken law, or None."""
    rows = len(index.paths)
    lengths = [len(index.labels), len(index.is_train), len(index.sizes), len(index.sha256)]
    if rows == 0 or any(length != rows for length in lengths):
        return (
            "columns of one length, at least one row",
            f"{counted(rows, 'path')}, other columns {lengths}",
        )
    if len(set(index.classes)) != len(index.classes) or "" in index.classes:
        return "class names that differ from one another", f"{index.classes}"
    outside = (index.labels < 0) | (index.labels >= len(index.classes))
    if outside.any():
        row = int(outside.argmax())
        return f"labels below {len(index.classes)}", f"{index.labels[row]} at {index.paths[row]!r}"
    if (index.sizes < 0).any():
        return "sizes of zero or more bytes", "a negative size"
    return first_bad_path(index.paths) or first_bad_hash(index.paths, index.sha256)


def _images_digest(index: Index) -> str:
    state = hashlib.sha256()
    for path, sha in zip(index.paths, index.sha256, strict=True):
        state.update(f"{path}\0{sha}\n".encode())
    return state.hexdigest()


def _full_digest(index: Index) -> str:
    head = [INDEX_SCHEMA, index.dataset, index.domain, list(index.classes), index.images_digest]
    state = hashlib.sha256(json.dumps(head, ensure_ascii=True, separators=(",", ":")).encode())
    for column in (index.labels, index.sizes):
        state.update(column.astype("<i8").tobytes())
    state.update(index.is_train.astype(np.uint8).tobytes())
    return state.hexdigest()
