"""What is suspicious in numbers that break no law: constant rows, outlying norms, repeated rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xxhash

from w2s_cache.counted import counted
from w2s_cache.store.layout import VALID_DATASET, Shard

NORM_FACTOR = 4.0  # an encoder's norms lie within a few per cent of one another
SHOWN_ROWS = 5


@dataclass(slots=True)
class _Column:
    """What is kept of an array: 17 bytes a row, whatever its width."""

    norms: list[np.ndarray] = field(default_factory=list)
    constant: list[np.ndarray] = field(default_factory=list)
    hashes: list[np.ndarray] = field(default_factory=list)


class Suspicions:
    """What is suspicious in the numbers of one store, whose sound shards are shown to it in order.

    These are notes, not errors: each of them can be right, and each has once been a bug.
    """

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._valid: list[np.ndarray] = []
        self._rows = 0

    def observe(self, shard: Shard, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep what is needed of the next shard.

        Args:
            shard: Its rows.
            arrays: By name, (stop - start, *row_shape) as stored, ``valid`` among them.
        """
        keep = arrays[VALID_DATASET]
        self._rows += len(keep)
        self._valid.append(np.flatnonzero(keep) + shard.start)
        for name, values in arrays.items():
            if values.dtype.kind == "f":
                _add(self._columns.setdefault(name, _Column()), values[keep])

    def told(self, contents: Sequence[str] | None = None) -> Iterator[str]:
        """Yields a sentence for each oddity of what was shown.

        Args:
            contents: (N,) content digest of the image behind each row, where rows are images: equal
                images may have equal rows.
        """
        rows = np.concatenate([np.empty(0, np.int64), *self._valid])
        if missing := self._rows - len(rows):
            are = f"{counted(self._rows, 'row')} {'is' if missing == 1 else 'are'}"
            yield f"{missing:,} of {are} invalid (images that could not be read)"
        for name, column in self._columns.items():
            if len(rows):
                yield from _oddities(name, column, rows, contents)


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
