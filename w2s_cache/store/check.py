"""Judge a store by the laws of ``docs/feature-store.md``, all of them, with plain h5py."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.check_failures import failures_form, failures_rows
from w2s_cache.store.flat_dataset import flatness_problem
from w2s_cache.store.judge import array_problems, shard_problems, uncovered_rows
from w2s_cache.store.layout import (
    FAILURES_FILE,
    INVALID_INTEGER,
    LOCK_FILE,
    MANIFEST_FILE,
    OWNER_FILE,
    ROW_DATASET,
    SCHEMA,
    SOFT_LOCK_FILE,
    VALID_DATASET,
    Manifest,
    Shard,
)
from w2s_cache.store.manifest_json import (
    key_problems,
    parse_manifest,
    schema_problems,
    stated_schema,
)
from w2s_cache.store.regular_file import read_regular
from w2s_cache.store.shard import ShardHeader, content_digest

LAWS = {
    "FS-01": "the manifest is JSON with exactly the specified fields and types",
    "FS-02": f"the schema is {SCHEMA}",
    "FS-03": "the key digest is the sha256 of the canonical key",
    "FS-04": "rows, kind and arrays fit together",
    "FS-05": "shards lie on the grid, in order, named by their number",
    "FS-06": "the shards cover all rows",
    "FS-07": "every listed file exists with the listed size",
    "FS-08": "every listed file hashes to the listed XXH3-128",
    "FS-09": "every shard is a file that plain HDF5 opens",
    "FS-10": "the root attributes of a shard agree with the manifest",
    "FS-11": "a shard holds the declared arrays, row and valid, as declared, and no more",
    "FS-12": "arrays are contiguous, little-endian, unfiltered and inside the file",
    "FS-13": "row holds the row numbers",
    "FS-14": "rows that are not valid are blank",
    "FS-15": "floating values of valid rows are finite",
    "FS-16": "the directory holds nothing else",
    "FS-17": "failures.parquet has its columns, stages and order",
    "FS-18": "exactly the rows that are not valid have a failure",
}
Arrays = Mapping[str, np.ndarray]
READABLE = (OSError, RuntimeError, KeyError, ValueError, TypeError)  # h5py, on damaged files


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One law that a store breaks, and where."""

    law: str
    message: str

    def __str__(self) -> str:
        return f"{self.law} violated ({LAWS[self.law]}): {self.message}"


def check_store(
    directory: Path,
    *,
    advance: Callable[[int], None] = lambda _: None,
    observe: Callable[[Shard, Arrays], None] = lambda _, __: None,
) -> list[Violation]:
    """List every violation of the laws, in the order of shards; empty for a sound store.

    Every shard is read once, and no two are in memory. Without a readable manifest nothing else can
    be judged, so FS-01 then stands alone (or beside FS-02, when it states another schema).

    Args:
        directory: The store.
        advance: Called with the listed size of each shard once it was read.
        observe: Called with each shard whose bytes break no law and its arrays by name, ``row`` and
            ``valid`` among them, each (stop - start, *row_shape) as stored: none is read again.
    """
    path = directory / MANIFEST_FILE
    try:
        text = read_regular(path)
    except OSError as error:
        return [Violation(law="FS-01", message=f"{path}: {error.strerror or error}")]
    try:
        manifest, schema, stated_key = parse_manifest(text, source=str(path))
    except CorruptStoreError as error:
        stated = stated_schema(text)
        other = [] if stated is None else schema_problems(stated)
        return [*_all("FS-02", other), Violation(law="FS-01", message=error.found)]
    shards, invalid = [], []
    for shard in manifest.shards:
        broken, arrays = _shard(directory / shard.file, manifest, shard)
        shards += broken
        invalid.append(_invalid_rows(arrays, shard))
        if not broken:
            observe(shard, arrays)
        advance(shard.bytes)
    return [
        *_all("FS-02", schema_problems(schema)),
        *_all("FS-03", key_problems(manifest, stated_key)),
        *_all("FS-04", array_problems(manifest)),
        *_all("FS-05", shard_problems(manifest)),
        *_all("FS-06", uncovered_rows(manifest)),
        *shards,
        *_all("FS-16", _strangers(directory, manifest)),
        *_all("FS-17", failures_form(directory)),
        *_all("FS-18", failures_rows(directory, manifest, invalid)),
    ]


def _all(law: str, messages: list[str] | Iterator[str]) -> list[Violation]:
    return [Violation(law=law, message=message) for message in messages]


def _strangers(directory: Path, manifest: Manifest) -> Iterator[str]:
    known = {
        MANIFEST_FILE,
        FAILURES_FILE,
        LOCK_FILE,
        SOFT_LOCK_FILE,
        OWNER_FILE,
        *(s.file for s in manifest.shards),
    }
    for path in sorted(directory.iterdir()):
        if path.name not in known or not path.is_file():
            yield f"{path.name} belongs to no store"


def _shard(path: Path, manifest: Manifest, shard: Shard) -> tuple[list[Violation], Arrays]:
    """What is wrong with a shard, and those of its arrays that lie in it as declared."""
    try:
        content = read_regular(path)
    except OSError as error:
        return [Violation(law="FS-07", message=f"{shard.file}: {error.strerror or error}")], {}
    found = [*_file(content, shard)]
    try:
        with h5py.File(path, "r", locking=False) as file:
            broken, arrays = _inside(file, manifest, shard, content)
    except READABLE as error:
        return [*found, Violation(law="FS-09", message=f"{shard.file}: {error}")], {}
    return [*found, *broken, *broken_values(arrays, shard)], arrays


def _file(content: bytes, shard: Shard) -> Iterator[Violation]:
    if len(content) != shard.bytes:
        message = f"{shard.file} has {len(content)} bytes, listed {shard.bytes}"
        yield Violation(law="FS-07", message=message)
    if (found := content_digest(content)) != shard.digest:
        yield Violation(law="FS-08", message=f"{shard.file} has {found}, listed {shard.digest}")


def _inside(
    file: h5py.File, manifest: Manifest, shard: Shard, content: bytes
) -> tuple[list[Violation], Arrays]:
    """HDF5 says where the arrays lie; the numbers are taken from the bytes that were hashed."""
    layout = _declared(manifest, shard)
    broken = [
        *_all("FS-10", _attributes(file, manifest, shard)),
        *_all("FS-11", (f"{shard.file}: {m}" for m in _datasets(file, layout))),
    ]
    arrays = {}
    for name, form in layout.items():
        dataset = file.get(name)
        if _form(dataset) != form:
            continue
        if problem := flatness_problem(dataset, len(content)):
            broken += _all("FS-12", [f"{shard.file}: {name} has {problem}"])
        else:
            arrays[name] = _view(dataset, content)
    return broken, arrays


def _view(dataset: h5py.Dataset, content: bytes) -> np.ndarray:
    """The numbers of a dataset that lies in its file's bytes as it is."""
    place, count = dataset.id.get_offset(), math.prod(dataset.shape)
    return np.frombuffer(content, dataset.dtype, count, place).reshape(dataset.shape)


def _invalid_rows(arrays: Arrays, shard: Shard) -> list[int] | None:
    """Rows of a shard that are not valid; None where it has no mask as declared."""
    if VALID_DATASET not in arrays:
        return None
    return [shard.start + int(place) for place in np.flatnonzero(~arrays[VALID_DATASET])]


def _attributes(file: h5py.File, manifest: Manifest, shard: Shard) -> Iterator[str]:
    header = ShardHeader(
        kind=manifest.kind, key_digest=manifest.key_digest, start=shard.start, stop=shard.stop
    )
    for name, wanted in header.attributes().items():
        if (found := file.attrs.get(name)) != wanted:
            yield f"{shard.file}: attribute {name} is {found!r}, the manifest has {wanted!r}"


def _declared(manifest: Manifest, shard: Shard) -> dict[str, tuple[tuple[int, ...], str]]:
    count = shard.stop - shard.start
    arrays = {spec.name: ((count, *spec.row_shape), spec.dtype) for spec in manifest.arrays}
    return {**arrays, ROW_DATASET: ((count,), "int64"), VALID_DATASET: ((count,), "bool")}


def _datasets(file: h5py.File, layout: dict[str, tuple[tuple[int, ...], str]]) -> Iterator[str]:
    for name in sorted({*file, *layout}):
        found, wanted = _form(file.get(name)), layout.get(name)
        if found != wanted:
            yield f"{name} is {found or 'absent'}, declared {wanted or 'nowhere'}"


def _form(item: object) -> tuple[tuple[int, ...], str] | None:
    """Return (shape, dtype name) of a dataset, None for anything else that a file may hold."""
    return (item.shape, item.dtype.name) if isinstance(item, h5py.Dataset) else None


def broken_values(arrays: Arrays, shard: Shard) -> Iterator[Violation]:
    """Yield where the numbers of one shard break FS-13, FS-14 or FS-15.

    Args:
        arrays: By name, (R, …) as stored; ``row`` and ``valid``, (R,), count where they are there.
        shard: The shard they belong to.
    """
    rows, valid = arrays.get(ROW_DATASET), arrays.get(VALID_DATASET)
    if rows is not None and not np.array_equal(rows, np.arange(shard.start, shard.stop)):
        message = f"{shard.file}: row is not {shard.start}..{shard.stop}"
        yield Violation(law="FS-13", message=message)
    if valid is None:
        return
    for name, values in arrays.items():
        if name in (ROW_DATASET, VALID_DATASET):
            continue
        floating = values.dtype.kind == "f"
        blank = np.isnan(values[~valid]) if floating else values[~valid] == INVALID_INTEGER
        if not blank.all():
            yield Violation(
                law="FS-14", message=f"{shard.file}: {name} has numbers in invalid rows"
            )
        if floating and not np.isfinite(values[valid]).all():
            yield Violation(
                law="FS-15", message=f"{shard.file}: {name} is not finite in valid rows"
            )
