"""What is suspicious in numbers that break no law: constant rows, outlying norms, repeated rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xxhash

from w2s_cache.cache.shard_walk import shard_arrays
from w2s_cache.counted import counted
from w2s_cache.store.layout import VALID_DATASET, Manifest

NORM_FACTOR = 4.0  # an encoder's norms lie within a few per cent of one another
SHOWN_ROWS = 5


@dataclass(slots=True)
class _Column:
    """What is kept of an array: 17 bytes a row, whatever its width."""

    norms: list[np.ndarray] = field(default_factory=list)
    constant: list[np.ndarray] = field(default_factory=list)
    hashes: list[np.ndarray] = field(default_factory=list)


def suspicions(
    directory: Path, manifest: Manifest, *, contents: Sequence[str] | None = None
) -> Iterator[str]:
    """Yields a sentence for each oddity of a store that breaks no law.

    These are notes, not errors: each of them can be right, and each has once been a bug.

    Args:
        directory: A store whose shards are sound.
        manifest: Its manifest.
        contents: (N,) content digest of the image behind each row, where rows are images: equal
            images may have equal rows.

    Raises:
        CorruptStoreError: Bytes on disk are not those that were written.
    """
    floating = [spec.name for spec in manifest.arrays if spec.dtype.startswith("float")]
    columns = {name: _Column() for name in floating}
    valid, rows = [], []
    for shard, arrays in shard_arrays(directory, manifest):
        keep = arrays[VALID_DATASET].copy()
        valid.append(keep)
        rows.append(np.arange(shard.start, shard.stop)[keep])
        for name, column in columns.items():
            _add(column, arrays[name][keep])
    numbers = np.concatenate(rows) if rows else np.empty(0, np.int64)
    missing = int(sum((~part).sum() for part in valid))
    if missing:
        are = f"{counted(manifest.rows, 'row')} {'is' if missing == 1 else 'are'}"
        yield f"{missing:,} of {are} invalid (images that could not be read)"
    for name, column in columns.items():
        if len(numbers):
            yield from _oddities(name, column, numbers, contents)


def _add(column: _Column, values: np.ndarray) -> None:
    flat = np.ascontiguousarray(values.reshape(len(values), -1))
    column.norms.append(np.linalg.norm(flat.astype(np.float32), axis=1))
    column.constant.append((flat == flat[:, :1]).all(axis=1) & (flat.shape[1] > 1))
    digests = [xxhash.xxh3_64_intdigest(row) for row in flat]
    column.hashes.append(np.array(digests, dtype=np.uint64))


def _oddities(
    name: str, column: _Column, rows: np.ndarray, contents: Sequence[str] | None
) -> Iterator[str]:
    norms, constant = np.concatenate(column.norms), np.concatenate(column.constant)
    if constant.any():
        zero = int((norms == 0).sum())
        which = f"{zero:,} of them zero; " if zero else ""
        named = _named(rows[constant])
        many = counted(int(constant.sum()), "row")
        yield f"{name}: {many} of one number repeated ({which}{named})"
    median = float(np.median(norms))
    odd = (norms > NORM_FACTOR * median) | (norms * NORM_FACTOR < median)
    if odd.any() and name != "logits":  # the norm of logits is how sure a model is
        yield (
            f"{name}: {counted(int(odd.sum()), 'row')} with a norm beyond {NORM_FACTOR:g} times or "
            f"a quarter of the median {median:.4g} ({_named(rows[odd])})"
        )
    yield from _repeats(name, np.concatenate(column.hashes), rows, contents)


def _repeats(
    name: str, hashes: np.ndarray, rows: np.ndarray, contents: Sequence[str] | None
) -> Iterator[str]:
    _, first, back = np.unique(hashes, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[back] != np.arange(len(hashes)))
    if not len(repeated):
        return
    many = counted(len(repeated), "row repeats", "rows repeat")
    text = f"{name}: {many} an earlier row ({_named(rows[repeated])})"
    if contents is None:
        yield text
        return
    originals = rows[first[back[repeated]]]
    pairs = zip(rows[repeated], originals, strict=True)
    same = sum(contents[row] == contents[original] for row, original in pairs)
    yield f"{text}; {same:,} of them are copies of the same image"


def _named(rows: np.ndarray) -> str:
    shown = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
    return f"row {shown}" if len(rows) <= SHOWN_ROWS else f"row {shown}, …"
