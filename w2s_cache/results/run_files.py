"""Reads what lies beside a record: predictions, trace and head of one finished run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from w2s_cache.counted import counted
from w2s_cache.errors import RecordError
from w2s_cache.results.file_digest import read_verified
from w2s_cache.results.record import RunRecord
from w2s_cache.results.run_directory import HEAD_FILE, PREDICTIONS_FILE, TRACE_FILE, run_path
from w2s_cache.results.run_head import parse_head
from w2s_cache.results.run_tables import PREDICTIONS_SCHEMA, TRACE_SCHEMA, conform, parse_table
from w2s_cache.store.index import DAMAGED_PARQUET

_ROUNDING = 1e-6  # of float32 means, far below one row of any data set

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Predictions:
    """What a run answered, row by row; (n,) each, rows ascending.

    Args:
        row: Row numbers in the index.
        path: Paths of the images, which are their names in every run.
        label: True class numbers.
        weak: The weak model's class numbers.
        predicted: The run's class numbers.
    """

    row: Integers
    path: tuple[str, ...]
    label: Integers
    weak: Integers
    predicted: Integers


def read_predictions(results_dir: Path, record: RunRecord) -> Predictions:
    """Reads the predictions of a done run.

    Raises:
        RecordError: They are missing, damaged, broken, or not those of the record: not as many,
            or of another accuracy.
    """
    file = _directory(results_dir, record) / PREDICTIONS_FILE
    if PREDICTIONS_FILE not in record.files:
        raise _unreadable(file, "a record that names no such file", "the predictions of a run")
    content = read_verified(file, record.files[PREDICTIONS_FILE])
    table = _parsed(file, content, PREDICTIONS_SCHEMA, name="predictions")
    if len(table) != record.counts.get("eval"):
        raise _unreadable(file, counted(len(table), "row"), f"{record.counts.get('eval')} rows")
    numbers = {n: table.column(n).to_numpy() for n in ("row", "label", "weak", "predicted")}
    accuracy, recorded = (
        (numbers["predicted"] == numbers["label"]).mean(),
        record.metrics["accuracy"],
    )
    if abs(accuracy - recorded) > _ROUNDING:
        raise _unreadable(file, f"accuracy {accuracy:.4f}", f"the record's accuracy {recorded:.4f}")
    return Predictions(path=tuple(table.column("path").to_pylist()), **numbers)


def read_trace(results_dir: Path, record: RunRecord) -> pa.Table | None:
    """Reads the trace of a run with the columns of ``TRACE_SCHEMA``; None where there is none.

    Columns that an older trace lacks are null.

    Raises:
        RecordError: It is missing, damaged or broken.
    """
    if TRACE_FILE not in record.files:
        return None
    file = _directory(results_dir, record) / TRACE_FILE
    content = read_verified(file, record.files[TRACE_FILE])
    return _parsed(file, content, TRACE_SCHEMA, name="trace")


def read_head(results_dir: Path, record: RunRecord) -> dict[str, npt.NDArray[Any]]:
    """Reads the trained arrays of a run by name; none where nothing was trained.

    Raises:
        RecordError: The file is missing, damaged or broken.
    """
    if HEAD_FILE not in record.files:
        return {}
    file = _directory(results_dir, record) / HEAD_FILE
    content = read_verified(file, record.files[HEAD_FILE])
    try:
        return parse_head(content)
    except ValueError as error:
        raise _unreadable(file, str(error), "a safetensors file") from error


def _directory(results_dir: Path, record: RunRecord) -> Path:
    return run_path(
        results_dir,
        dataset=record.dataset,
        domain=record.domain,
        method=record.method,
        run_id=record.run_id,
    )


def _parsed(file: Path, content: bytes, schema: pa.Schema, *, name: str) -> pa.Table:
    try:
        return conform(parse_table(content), schema, name=name)
    except DAMAGED_PARQUET as error:
        raise _unreadable(file, str(error), f"the {name} of a run") from error


def _unreadable(file: Path, found: str, expected: str) -> RecordError:
    return RecordError(
        f"{file} cannot be used",
        expected=expected,
        found=found,
        fix="Remove its directory and run that method again.",
    )
