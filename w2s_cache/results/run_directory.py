"""One directory per run, published whole or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from w2s_cache.errors import RecordError
from w2s_cache.results.file_digest import FileName, digest_of
from w2s_cache.results.publish import publishing
from w2s_cache.results.record import RunRecord
from w2s_cache.results.record_json import record_to_json
from w2s_cache.results.run_head import head_bytes
from w2s_cache.results.run_tables import PREDICTIONS_SCHEMA, TRACE_SCHEMA, conform, table_bytes

RECORD_FILE: Final = "record.json"
TRACE_FILE: Final = "trace.parquet"
PREDICTIONS_FILE: Final = "predictions.parquet"
HEAD_FILE: Final = "head.safetensors"

LEVELS = ("dataset", "domain", "method", "run_id")
"""The fields that name a run's directory, outermost first."""


class WrittenRun(NamedTuple):
    """A run on disk: where it lies, and its record with the digests of its files."""

    directory: Path
    record: RunRecord


def run_path(results_dir: Path, *, dataset: str, domain: str, method: str, run_id: str) -> Path:
    """Where a run lives: ``<results>/<dataset>/<domain>/<method>/<run_id>``.

    Raises:
        RecordError: A name cannot be a folder: empty, hidden, or with a separator in it.
    """
    parts = (dataset, domain, method, run_id)
    for level, part in zip(LEVELS, parts, strict=True):
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
) -> WrittenRun:
    """Publishes a run: its files are written beside, flushed and renamed into place together.

    A finished run of the same identity is replaced; whatever fails, no reader ever meets half a
    directory.

    Args:
        results_dir: Root of all runs.
        record: What happened; its ``files`` are replaced by those that are written.
        trace: Columns of :data:`TRACE_SCHEMA`, or None for a method that takes no steps.
        predictions: Columns of :data:`PREDICTIONS_SCHEMA`; None only where not applicable.
        head: The trained arrays by name; empty when there is nothing to keep.

    Returns:
        The run's directory, and the record that was written there.

    Raises:
        RecordError: The record or a table has the wrong form, a done run has no predictions, a
            confidence or a trained number is not finite, or the directory cannot be written.
    """
    target = run_path(results_dir, **{level: getattr(record, level) for level in LEVELS})
    _check_parts(record, [trace is not None, predictions is not None, bool(head)])
    tables: dict[FileName, pa.Table] = {}
    if trace is not None:
        tables[TRACE_FILE] = conform(trace, TRACE_SCHEMA, name="trace")
    if predictions is not None:
        tables[PREDICTIONS_FILE] = conform(predictions, PREDICTIONS_SCHEMA, name="predictions")
        _refuse_nonfinite(record, {"confidence": predictions["confidence"].to_numpy(), **head})
    contents = _contents(tables, head)
    files = {name: digest_of(content) for name, content in contents.items()}
    record = dataclasses.replace(record, files=files)
    text = record_to_json(record)
    try:
        with publishing(target) as directory:
            for name, content in contents.items():
                (directory / name).write_bytes(content)
            (directory / RECORD_FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RecordError(
            f"the run {target} cannot be written",
            expected="a writable directory with free space",
            found=error.strerror or str(error),
            fix="Free space or choose another results directory, then run again.",
        ) from error
    return WrittenRun(target, record)


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


def _refuse_nonfinite(record: RunRecord, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    broken = [name for name, values in arrays.items() if not np.isfinite(values).all()]
    if broken:
        raise RecordError(
            f"the run {record.method} on {record.domain} cannot be written",
            expected="finite numbers",
            found=f"NaN or infinity in {', '.join(broken)}",
            fix="Train it with other settings.",
        )


def _contents(
    tables: Mapping[FileName, pa.Table], head: Mapping[str, npt.NDArray[Any]]
) -> dict[FileName, bytes]:
    """The bytes of every file but the record: those that are hashed are those that are written."""
    contents: dict[FileName, bytes] = {name: table_bytes(table) for name, table in tables.items()}
    return {**contents, HEAD_FILE: head_bytes(head)} if head else contents
