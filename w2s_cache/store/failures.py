"""Why rows of a store are not valid: ``failures.parquet``, one line per row.

Every line names the shard it belongs to by the digest of that shard's bytes, and counts only while
the manifest lists that digest. So the file can be published before the manifest that needs it, and
a line that outlives its shard, or comes before it, says nothing of any row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.layout import FAILURES_FILE, Manifest
from w2s_cache.store.parquet_bounds import read_bounded
from w2s_cache.store.publish import publish, remove

FAILURES_SCHEMA: Final = "w2s-cache/failures/1"
STAGES: Final = ("index", "read", "decode", "preprocess", "encode")
COLUMNS: Final = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        *(pa.field(n, pa.string(), nullable=False) for n in ("path", "stage", "error", "message")),
        pa.field("shard", pa.string(), nullable=False),
    ]
)
_ANEW: Final = (
    "Run `w2s-cache extract --on-error skip` again with the same spec: it finds the reasons anew."
)
_META: Final = b"w2s_cache.failures"
_MESSAGE_CHARACTERS: Final = 500
_ORDER: Final = [("row", "ascending"), ("shard", "ascending")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFailure:
    """An image that could not be used.

    Args:
        row: Its row.
        path: Its path, relative to the data root.
        stage: Where it failed, one of :data:`STAGES`.
        error: The type of the exception.
        message: What the exception said, on one line.
    """

    row: int
    path: str
    stage: str
    error: str
    message: str


ByShard = Mapping[str, tuple[RowFailure, ...]]
"""Failures by the digest of the shard they belong to."""


def write_failures(directory: Path, failures: ByShard) -> None:
    """Replaces the file in one step; without failures there is none.

    Raises:
        StoreWriteError: no space, no permission; the previous file is untouched.
    """
    if not failures:
        remove(directory / FAILURES_FILE)
        return
    _publish(directory, _table(failures))


def add_failures(directory: Path, shard: str, failures: tuple[RowFailure, ...]) -> None:
    """Replaces the file in one step by one that says this, too, of a shard, given by its digest.

    What is known stays in columns: line by line it would cost more than the numbers of a shard.

    Raises:
        CorruptStoreError: The file is not what FS-17 demands.
        StoreWriteError: no space, no permission; the previous file is untouched.
    """
    path, table = directory / FAILURES_FILE, _table({shard: failures})
    if path.exists():
        known = _read(path, source=str(path))
        others = known.filter(pc.not_equal(known.column("shard"), shard))
        table = pa.concat_tables([others, table]).sort_by(_ORDER)
    _publish(directory, table)


def read_failures(directory: Path) -> dict[str, tuple[RowFailure, ...]]:
    """Reads every line of a store's file, in force or not; none where there is no file.

    Raises:
        CorruptStoreError: The file is not what FS-17 demands.
    """
    path = directory / FAILURES_FILE
    return parse_failures(path, source=str(path)) if path.exists() else {}


def parse_failures(content: Path | bytes, *, source: str) -> dict[str, tuple[RowFailure, ...]]:
    """Reads every line of a file of failures, or of its bytes; ``source`` is its name in errors.

    Raises:
        CorruptStoreError: It is not what FS-17 demands.
    """
    found: dict[str, list[RowFailure]] = {}
    for line in _read(content, source=source).to_pylist():
        found.setdefault(line.pop("shard"), []).append(RowFailure(**line))
    return {shard: tuple(told) for shard, told in found.items()}


def _read(content: Path | bytes, *, source: str) -> pa.Table:
    try:
        table = read_bounded(content)
        table.validate(full=True)  # texts too: they are in UTF-8
        problem = form_problem(table)
    except (pa.ArrowException, OSError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        raise CorruptStoreError(
            f"{source} is damaged",
            expected=f"a table of {FAILURES_SCHEMA}",
            found=problem,
            fix=_ANEW,
        )
    return table


def _table(failures: ByShard) -> pa.Table:
    lines = [
        {**asdict(failure), "message": _short(failure.message), "shard": shard}
        for shard, members in failures.items()
        for failure in members
    ]
    return pa.Table.from_pylist(lines, schema=COLUMNS).sort_by(_ORDER)


def _publish(directory: Path, table: pa.Table) -> None:
    about = {_META: json.dumps({"schema": FAILURES_SCHEMA}).encode()}
    content = pa.BufferOutputStream()
    pq.write_table(
        table.combine_chunks().replace_schema_metadata(about), content, write_page_checksum=True
    )
    publish(directory / FAILURES_FILE, content.getvalue().to_pybytes())


def in_force(directory: Path, manifest: Manifest) -> tuple[RowFailure, ...]:
    """Reads the failures of the shards that a manifest lists, by row.

    Raises:
        CorruptStoreError: The file is not what FS-17 demands.
    """
    found = read_failures(directory)
    return tuple(f for shard in manifest.shards for f in found.get(shard.digest, ()))


def valid_mask(failures: Sequence[RowFailure], start: int, stop: int) -> np.ndarray:
    """(stop - start,) bool, False for the rows that failed.

    Raises:
        StoreError: A row outside [start, stop), or one that is there twice.
    """
    rows = [failure.row for failure in failures]
    if len(set(rows)) != len(rows) or not all(start <= row < stop for row in rows):
        raise StoreError(
            "these failures cannot be stored",
            expected=f"rows from {start} to {stop - 1}, each once",
            found=f"rows {', '.join(map(str, sorted(rows)))}",
            fix="Correct the call; nothing was written.",
        )
    valid = np.ones(stop - start, dtype=bool)
    valid[np.array(rows, dtype=np.int64) - start] = False
    return valid


def form_problem(table: Any) -> str:
    """What is wrong with the columns and values of a table of failures; empty when nothing is."""
    if not table.schema.equals(COLUMNS):
        return f"columns {', '.join(f'{f.name} {f.type}' for f in table.schema)}"
    stated = (table.schema.metadata or {}).get(_META, b"")
    if stated != json.dumps({"schema": FAILURES_SCHEMA}).encode():
        return f"schema {stated.decode(errors='replace') or 'none'}"
    if any(column.null_count for column in table.columns):
        return "a value that is null"
    unknown = sorted(set(table.column("stage").unique().to_pylist()) - set(STAGES))
    if unknown:
        return f"stage {unknown[0]!r}, none of {', '.join(STAGES)}"
    if not _ascend(table.column("row"), table.column("shard")):
        return "lines that do not ascend by row, or repeat one"
    return ""


def _ascend(rows: Any, shards: Any) -> bool:
    """Whether lines ascend by row, and by shard where they are of one row."""
    before, after = rows.to_numpy()[:-1], rows.to_numpy()[1:]
    same = np.flatnonzero(before == after)
    risen = pc.less(shards.take(pa.array(same)), shards.take(pa.array(same + 1)))
    return bool((before <= after).all()) and bool(pc.all(risen, min_count=0).as_py())


def unexplained(
    invalid: Sequence[int], failures: Iterable[RowFailure], bounds: tuple[int, int]
) -> str:
    """How the failures of one shard differ from its invalid rows; empty when they do not.

    Args:
        invalid: Row numbers that are not valid.
        failures: Those that the shard's digest has in the file.
        bounds: The shard's rows [start, stop).
    """
    told = {failure.row for failure in failures}
    for rows, what in (
        (sorted(set(invalid) - told), "invalid without a failure"),
        (sorted(told - set(invalid)), "valid with a failure"),
    ):
        if rows:
            return f"{len(rows)} of rows {bounds[0]}..{bounds[1]} {what}, first {rows[0]}"
    return ""


def reasons_lost(directory: Path, problem: str) -> CorruptStoreError:
    """Build the error for a store that does not say why rows of it are not valid."""
    return CorruptStoreError(
        f"{directory / FAILURES_FILE} is damaged",
        expected="a failure for each row that is not valid",
        found=problem,
        fix=_ANEW,
    )


def shown(failures: Sequence[RowFailure], count: int = 3) -> str:
    """The first few failures in words, and how many more there are."""
    return listed([f"{f.path} ({f.stage}: {f.message})" for f in failures], count)


def listed(texts: Sequence[str], count: int) -> str:
    """The first few texts, and how many more there are."""
    more = f"; and {len(texts) - count:,} more" if len(texts) > count else ""
    return "; ".join(texts[:count]) + more


def _short(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _MESSAGE_CHARACTERS else f"{line[:_MESSAGE_CHARACTERS]}…"
