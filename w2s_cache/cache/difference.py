"""In what two stores or feature sets differ: settings first, then bytes, then numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from w2s_cache.cache.operand import SetOperand, StoreOperand
from w2s_cache.errors import StoreError
from w2s_cache.store.fingerprint import Difference, diff_keys
from w2s_cache.store.layout import VALID_DATASET, Manifest
from w2s_cache.store.reader import open_store
from w2s_cache.store.shard_walk import shard_arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayDifference:
    """How one array differs: rows that differ at all, the largest absolute difference, its row.

    ``largest`` and ``row`` are of the rows that are valid on both sides.
    """

    array: str
    rows: int
    differing: int
    largest: float
    row: int


def setting_differences(one: StoreOperand, other: StoreOperand) -> list[Difference]:
    """Fields in which the declarations and keys of two stores differ; ``stored`` is the first's."""
    return diff_keys(_declaration(one.manifest), _declaration(other.manifest))


def unkeyed_differences(one: StoreOperand, other: StoreOperand) -> list[Difference]:
    """Facts that differ and are in no key: versions, attributes."""
    first, second = (
        {"attributes": side.manifest.attributes, "tool": side.manifest.tool}
        for side in (one, other)
    )
    return diff_keys(first, second)


def set_differences(one: SetOperand, other: SetOperand) -> list[Difference]:
    """Fields in which two feature sets differ: names, request, index, keys of stores."""
    first, second = asdict(one.found), asdict(other.found)
    for side in (first, second):
        del side["created"]
        for kind in ("image", "logits", "text"):
            side[kind] = side[kind] and side[kind]["key_digest"]
    return diff_keys(first, second)


def same_bytes(one: StoreOperand, other: StoreOperand) -> bool:
    """Whether the manifests list shards of the same rows, sizes and hashes."""
    return one.manifest.shards == other.manifest.shards


def comparable(one: Manifest, other: Manifest) -> bool:
    """Whether the numbers of two stores can be compared: same kind, rows and row shapes."""
    shapes = [{spec.name: spec.row_shape for spec in side.arrays} for side in (one, other)]
    return (one.kind, one.rows, shapes[0]) == (other.kind, other.rows, shapes[1])


def array_differences(
    one: StoreOperand, other: StoreOperand, *, advance: Callable[[int], None]
) -> Iterator[ArrayDifference]:
    """Yields how each array of two comparable stores differs; a shard is in memory at a time.

    Args:
        one: A complete store.
        other: Another one, for which `comparable` holds.
        advance: Called with the bytes of each shard of ``one`` that was read.

    Raises:
        StoreError: One of them is incomplete.
        CorruptStoreError: Bytes on disk are not those that were written.
    """
    first, second = open_store(one.directory), open_store(other.directory)
    found: dict[str, ArrayDifference] = {}
    for shard, arrays in shard_arrays(first.directory, first.manifest):
        rows = np.arange(shard.start, shard.stop)
        theirs = second.read_together(tuple(arrays), rows=rows)
        valid = arrays[VALID_DATASET] & theirs[VALID_DATASET]
        for name, values in arrays.items():
            if name == VALID_DATASET:
                continue
            part = _difference(name, rows, values, theirs[name], valid)
            found[name] = _joined(found[name], part) if name in found else part
        advance(shard.bytes)
    yield from found.values()


def _declaration(manifest: Manifest) -> dict[str, object]:
    arrays = {spec.name: asdict(spec) for spec in manifest.arrays}
    return {"kind": manifest.kind, "rows": manifest.rows, "arrays": arrays, "key": manifest.key}


def _difference(
    name: str, rows: np.ndarray, mine: np.ndarray, theirs: np.ndarray, valid: np.ndarray
) -> ArrayDifference:
    if mine.shape != theirs.shape:
        raise StoreError(
            f"array {name!r} cannot be compared",
            expected=f"rows of shape {mine.shape[1:]}",
            found=f"{theirs.shape[1:]}",
            fix="Compare stores of the same model.",
        )
    one, other = (side.reshape(len(rows), -1).astype(np.float64) for side in (mine, theirs))
    equal = ((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1)
    apart = np.where(valid[:, None], np.abs(one - other), 0).max(axis=1)
    return ArrayDifference(
        array=name,
        rows=len(rows),
        differing=int((~equal).sum()),
        largest=float(apart.max()),
        row=int(rows[apart.argmax()]),
    )


def _joined(one: ArrayDifference, other: ArrayDifference) -> ArrayDifference:
    worst = other if other.largest > one.largest else one
    return ArrayDifference(
        array=one.array,
        rows=one.rows + other.rows,
        differing=one.differing + other.differing,
        largest=worst.largest,
        row=worst.row,
    )
