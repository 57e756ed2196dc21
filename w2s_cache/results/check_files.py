"""Checks the files beside a record: which they are, their columns, and that numbers agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from w2s_cache.errors import RecordError
from w2s_cache.results.file_digest import FileName, read_verified
from w2s_cache.results.record import RunRecord
from w2s_cache.results.run_directory import HEAD_FILE, PREDICTIONS_FILE, RECORD_FILE, TRACE_FILE
from w2s_cache.results.run_head import parse_head
from w2s_cache.results.run_tables import (
    FIRST_TRACE_SCHEMA,
    PREDICTIONS_SCHEMA,
    TRACE_SCHEMA,
    parse_table,
)
from w2s_cache.results.violation import Violation
from w2s_cache.store.index import DAMAGED_PARQUET

_TOLERANCE = 1e-9
_ACCURACIES = ("fit_accuracy", "eval_accuracy")


def check_files(record: RunRecord, path: Path) -> Iterator[Violation]:
    """Yields what is wrong with the files of a run whose record could be read.

    A file that is not the one its record names is reported as that, and looked at no further.

    Args:
        record: The run's record.
        path: The run's directory.
    """
    names = {file.name for file in path.iterdir()}
    allowed = {RECORD_FILE}
    if record.status == "done":
        allowed |= {PREDICTIONS_FILE, TRACE_FILE, HEAD_FILE}
    for name in sorted(names - allowed):
        yield Violation("RR-12", f"{name} does not belong to a run that is {record.status}")
    if record.status == "done" and PREDICTIONS_FILE not in names:
        yield Violation("RR-12", f"{PREDICTIONS_FILE} is missing")
    checks: dict[FileName, Callable[[RunRecord, bytes], Iterator[Violation]]] = {
        PREDICTIONS_FILE: _predictions,
        TRACE_FILE: _trace,
        HEAD_FILE: _head,
    }
    for name, check in checks.items():
        recorded = record.files.get(name)
        if recorded is None:
            if name in names & allowed:
                yield Violation("RR-19", f"files does not name {name}")
            continue
        try:
            content = read_verified(path / name, recorded)
        except RecordError as error:
            yield Violation("RR-19", str(error))
        else:
            yield from check(record, content)


def _predictions(record: RunRecord, content: bytes) -> Iterator[Violation]:
    table = _columns(PREDICTIONS_FILE, content, PREDICTIONS_SCHEMA)
    if isinstance(table, str):
        yield Violation("RR-13", table)
        return
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    classes = len(record.per_class_accuracy)
    if np.any(np.diff(columns["row"]) <= 0):
        yield Violation("RR-13", "predictions are not in ascending order of row, each row once")
    outside = [n for n in ("label", "weak", "predicted") if _outside(columns[n], classes - 1)]
    if _outside(columns["confidence"], 1):
        outside.append("confidence")
    if outside:
        yield Violation("RR-13", f"predictions hold values out of range in {', '.join(outside)}")
    else:
        yield from _agreement(record, columns)


def _agreement(record: RunRecord, columns: dict[str, npt.NDArray[Any]]) -> Iterator[Violation]:
    """Recomputes what the record says from the predictions."""
    label, weak, predicted = (columns[name] for name in ("label", "weak", "predicted"))
    if record.counts.get("eval") != len(label):
        yield Violation("RR-14", f"counts.eval is {record.counts.get('eval')}, not {len(label)}")
    if not len(label):
        return
    shares = {
        "accuracy": predicted == label,
        "agreement": predicted == weak,
        "weak_accuracy": weak == label,
    }
    for name, right in shares.items():
        yield from _compare(f"metrics.{name}", record.metrics.get(name), float(np.mean(right)))
    recalls = []
    for number, share in enumerate(record.per_class_accuracy):
        rows = label == number
        recall = float(np.mean(predicted[rows] == number)) if rows.any() else None
        recalls.append(recall)
        yield from _compare(f"per_class_accuracy[{number}]", share, recall)
    mean = float(np.mean([recall for recall in recalls if recall is not None]))
    name = "mean_per_class_recall"
    yield from _compare(f"metrics.{name}", record.metrics.get(name), mean)


def _compare(name: str, recorded: float | None, recomputed: float | None) -> Iterator[Violation]:
    if recorded is None or recomputed is None:
        same = recorded is recomputed
    else:
        same = abs(recorded - recomputed) <= _TOLERANCE
    if not same:
        yield Violation("RR-14", f"{name} is {recorded}, the predictions give {recomputed}")


def _trace(_: RunRecord, content: bytes) -> Iterator[Violation]:
    table = _columns(TRACE_FILE, content, TRACE_SCHEMA, FIRST_TRACE_SCHEMA)
    if isinstance(table, str):
        yield Violation("RR-15", table)
        return
    if np.any(np.diff(table.column("step").to_numpy()) <= 0):
        yield Violation("RR-15", "trace is not in ascending order of step, each step once")
    for name in ("loss", "lr", "val_score"):
        if not np.isfinite(table.column(name).drop_null().to_numpy()).all():
            yield Violation("RR-15", f"trace holds numbers that are not finite in {name}")
    accuracies = [name for name in _ACCURACIES if name in table.column_names]
    for name in accuracies:
        if _outside(table.column(name).drop_null().to_numpy(), 1):
            yield Violation("RR-17", f"trace holds values that are no fractions in {name}")
    if len({tuple(table.column(name).is_null().to_pylist()) for name in accuracies}) > 1:
        yield Violation("RR-17", f"{' and '.join(accuracies)} are measured at different steps")


def _head(_: RunRecord, content: bytes) -> Iterator[Violation]:
    try:
        arrays = parse_head(content)
    except ValueError as error:
        yield Violation("RR-16", f"{HEAD_FILE} cannot be read: {error}")
        return
    for name, array in sorted(arrays.items()):
        if not np.isfinite(array).all():
            yield Violation("RR-16", f"{HEAD_FILE} holds numbers that are not finite in {name}")


def _columns(
    file: FileName, content: bytes, schema: pa.Schema, older: pa.Schema | None = None
) -> pa.Table | str:
    """The table, or a sentence about why it is not one of this schema (or the older one)."""
    try:
        table = parse_table(content)
    except DAMAGED_PARQUET as error:
        return f"{file} cannot be read: {error}"
    found = [(field.name, str(field.type)) for field in table.schema]
    if older is not None and table.column_names == older.names:
        schema = older
    wanted = [(field.name, str(field.type)) for field in schema]
    if found != wanted:
        return f"{file} has the columns {found}, not {wanted}"
    holes = [f.name for f in schema if not f.nullable and table.column(f.name).null_count]
    return f"{file} has nulls in {', '.join(holes)}" if holes else table


def _outside(values: npt.NDArray[Any], high: int) -> bool:
    """Whether a value is below 0, above ``high`` or not a number."""
    return not bool(np.all((values >= 0) & (values <= high)))
