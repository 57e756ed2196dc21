"""One directory per run, published whole or not at all, and found again by its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from w2s_cache.errors import RecordError, UnknownNameError
from w2s_cache.results.publish import publishing
from w2s_cache.results.record import RunRecord, record_from_json, record_to_json
from w2s_cache.results.run_tables import PREDICTIONS_SCHEMA, TRACE_SCHEMA, conform

RECORD_FILE = "record.json"
TRACE_FILE = "trace.parquet"
PREDICTIONS_FILE = "predictions.parquet"
HEAD_FILE = "head.safetensors"

_LEVELS = ("dataset", "domain", "method", "run_id")


def run_path(results_dir: Path, *, dataset: str, domain: str, method: str, run_id: str) -> Path:
    """Where a run lives: ``<results>/<dataset>/<domain>/<method>/<run_id>``.

    Raises:
        RecordError: A name cannot be a folder: empty, hidden, or with a separator in it.
    """
    parts = (dataset, domain, method, run_id)
    for level, part in zip(_LEVELS, parts, strict=True):
        if not part or part.startswith(".") or any(c in part for c in "/\\\0"):
            raise RecordError(
                f"a run's {level} cannot be a folder name",
                expected="a name that does not begin with a period and holds no separator",
                found=repr(part),
                fix=f"Rename the {level}.",
            )
    return results_dir.joinpath(*parts)


def write_run(
    results_dir: Path,
    record: RunRecord,
    *,
    trace: pa.Table | None,
    predictions: pa.Table | None,
    head: Mapping[str, npt.NDArray[Any]],
) -> Path:
    """Publishes a run: its files are written beside, flushed and renamed into place together.

    A finished run of the same identity is replaced; whatever fails, no reader ever meets half a
    directory.

    Args:
        results_dir: Root of all runs.
        record: What happened.
        trace: Columns of :data:`TRACE_SCHEMA`, or None for a method that takes no steps.
        predictions: Columns of :data:`PREDICTIONS_SCHEMA`; None only where not applicable.
        head: The trained arrays by name; empty when there is nothing to keep.

    Returns:
        The run's directory.

    Raises:
        RecordError: The record or a table has the wrong form, a done run has no predictions, or
            the directory cannot be written.
    """
    target = run_path(results_dir, **{level: getattr(record, level) for level in _LEVELS})
    _check_parts(record, [trace is not None, predictions is not None, bool(head)])
    text = record_to_json(record)
    tables = {}
    if trace is not None:
        tables[TRACE_FILE] = conform(trace, TRACE_SCHEMA, name="trace")
    if predictions is not None:
        tables[PREDICTIONS_FILE] = conform(predictions, PREDICTIONS_SCHEMA, name="predictions")
    try:
        with publishing(target) as directory:
            _write_files(directory, text, tables, head)
    except OSError as error:
        raise RecordError(
            f"the run {target} cannot be written",
            expected="a writable directory with free space",
            found=error.strerror or str(error),
            fix="Free space or choose another results directory, then run again.",
        ) from error
    return target


def find_runs(results_dir: Path, **filters: Any) -> list[RunRecord]:
    """Reads the records of all finished runs; no other file is opened.

    Args:
        results_dir: Root of all runs; one that does not exist holds none.
        **filters: Record fields with the value they must have, or a list, tuple or set of values
            of which they must have one: ``find_runs(d, dataset="pacs", seed=[0, 1])``.

    Returns:
        The records, sorted by dataset, domain, method, seed and identity.

    Raises:
        RecordError: A record is missing, broken, or lies in another run's directory; the message
            names the file.
        UnknownNameError: A filter names no record field.
    """
    fields = RunRecord.__dataclass_fields__
    wanted = {name: _choices(value) for name, value in filters.items()}
    for name in wanted:
        if name not in fields:
            raise UnknownNameError("record field", name, fields)
    levels = [wanted.get(level) for level in _LEVELS]
    records = [read_record(directory) for directory in _directories(results_dir, levels)]
    kept = [r for r in records if all(getattr(r, name) in wanted[name] for name in wanted)]
    return sorted(kept, key=lambda r: (r.dataset, r.domain, r.method, r.seed, r.run_id))


def has_run(results_dir: Path, *, dataset: str, domain: str, method: str, run_id: str) -> bool:
    """Whether this run is finished: its directory appears only complete."""
    path = run_path(results_dir, dataset=dataset, domain=domain, method=method, run_id=run_id)
    return (path / RECORD_FILE).is_file()


def read_record(directory: Path) -> RunRecord:
    """Reads the record of one run's directory.

    Raises:
        RecordError: There is none, it is broken, or it is the record of another directory.
    """
    file = directory / RECORD_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(
            f"{file} cannot be read",
            expected="the JSON text of a run record",
            found=str(error),
            fix="Remove its directory and run that method again.",
        ) from error
    record = record_from_json(text, origin=str(file))
    place = directory.absolute().parts[-len(_LEVELS) :]
    if place != tuple(getattr(record, level) for level in _LEVELS):
        raise RecordError(
            f"{file} lies in another run's directory",
            expected="/".join(getattr(record, level) for level in _LEVELS),
            found="/".join(place),
            fix="Move the directory back where it was written.",
        )
    return record


def _check_parts(record: RunRecord, given: list[bool]) -> None:
    """A done run has predictions; one that is not applicable has nothing but its record."""
    if record.status == "done" and not given[1]:
        found = "a done run without predictions"
    elif record.status == "not-applicable" and any(given):
        found = "a run that is not applicable, with files"
    else:
        return
    raise RecordError(
        f"the run {record.method} on {record.domain} cannot be written",
        expected="predictions exactly when the run is done",
        found=found,
        fix="Give the predictions of a done run, and None, None and {} otherwise.",
    )


def _write_files(
    directory: Path, text: str, tables: Mapping[str, pa.Table], head: Mapping[str, Any]
) -> None:
    from safetensors.numpy import save_file

    for name, table in tables.items():
        pq.write_table(table, directory / name, compression="zstd")
    if head:
        arrays = {name: np.ascontiguousarray(array) for name, array in head.items()}
        save_file(arrays, directory / HEAD_FILE)
    (directory / RECORD_FILE).write_text(text, encoding="utf-8")


def _choices(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _directories(root: Path, levels: list[list[Any] | None]) -> Iterator[Path]:
    """Run directories below ``root`` in byte order; hidden ones are temporaries."""
    if not levels:
        yield root
        return
    if not root.is_dir():
        return
    for path in sorted(root.iterdir()):
        if path.is_dir() and not path.name.startswith(".") and _wanted(path.name, levels[0]):
            yield from _directories(path, levels[1:])


def _wanted(name: str, choices: list[Any] | None) -> bool:
    return choices is None or name in choices
