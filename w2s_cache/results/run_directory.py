"""One directory per run, published whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from w2s_cache.errors import RecordError
from w2s_cache.results.publish import publishing
from w2s_cache.results.record import RunRecord, record_to_json
from w2s_cache.results.run_tables import PREDICTIONS_SCHEMA, TRACE_SCHEMA, conform

RECORD_FILE = "record.json"
TRACE_FILE = "trace.parquet"
PREDICTIONS_FILE = "predictions.parquet"
HEAD_FILE = "head.safetensors"

LEVELS = ("dataset", "domain", "method", "run_id")
"""The fields that name a run's directory, outermost first."""


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
        RecordError: The record or a table has the wrong form, a done run has no predictions, a
            confidence or a trained number is not finite, or the directory cannot be written.
    """
    target = run_path(results_dir, **{level: getattr(record, level) for level in LEVELS})
    _check_parts(record, [trace is not None, predictions is not None, bool(head)])
    text = record_to_json(record)
    tables = {}
    if trace is not None:
        tables[TRACE_FILE] = conform(trace, TRACE_SCHEMA, name="trace")
    if predictions is not None:
        tables[PREDICTIONS_FILE] = conform(predictions, PREDICTIONS_SCHEMA, name="predictions")
        _refuse_nonfinite(record, {"confidence": predictions["confidence"].to_numpy(), **head})
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


def _write_files(
    directory: Path, text: str, tables: Mapping[str, pa.Table], head: Mapping[str, Any]
) -> None:
    from safetensors.numpy import save

    for name, table in tables.items():
        pq.write_table(table, directory / name, compression="zstd")
    if head:
        arrays = {name: np.ascontiguousarray(array) for name, array in head.items()}
        (directory / HEAD_FILE).write_bytes(save(arrays))  # its own writer hides what the disk says
    (directory / RECORD_FILE).write_text(text, encoding="utf-8")
