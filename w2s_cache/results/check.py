"""Checks a run's directory against the numbered laws of docs/run-record.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from w2s_cache.errors import RecordError
from w2s_cache.results.check_files import check_files
from w2s_cache.results.record import RunRecord, run_id
from w2s_cache.results.record_json import content_digest, parse_record
from w2s_cache.results.run_directory import RECORD_FILE
from w2s_cache.results.violation import Violation

_PROTOCOL = {"hold_fraction", "fit_fraction", "split_seed", "eval_split", "select"}
_REQUIRED = ("request_digest", "index_digest")
_INPUTS = (*_REQUIRED, "image_key", "logits_key", "text_key", "anchors_key", "skipped_key")
_METRICS = ("accuracy", "agreement", "weak_accuracy", "mean_per_class_recall")
_COUNTS = ("fit", "val", "eval", "skipped")
_LATER_COUNTS = ("skipped_train",)  # older records lack them
_EVAL_SPLITS = ("held-out", "full-test")


def check_run(path: Path) -> list[Violation]:
    """Lists every law the run at ``path`` violates; none means the run is as specified.

    Args:
        path: The run's directory.

    Returns:
        The violations in the order of the laws; only a record that cannot be read ends the
        search early, because every other law speaks of its content.
    """
    try:
        text = (path / RECORD_FILE).read_text(encoding="utf-8")
        record, promised = parse_record(text, origin=str(path / RECORD_FILE))
    except (OSError, UnicodeDecodeError, RecordError) as error:
        return [Violation("RR-01", str(error))]
    return [
        *_identity(record, path),
        *_status(record),
        *_protocol(record),
        *_made_from(record),
        *_numbers(record),
        *_surroundings(record),
        *check_files(record, path),
        *_sealed(record, promised),
    ]


def _identity(record: RunRecord, path: Path) -> Iterator[Violation]:
    expected = run_id(record.outcome())
    if record.run_id != expected:
        yield Violation("RR-02", f"run_id is {record.run_id}, the outcome fields give {expected}")
    place = (record.dataset, record.domain, record.method, record.run_id)
    if path.absolute().parts[-4:] != place:
        yield Violation("RR-03", f"the directory is {path}, the record says {'/'.join(place)}")


def _sealed(record: RunRecord, promised: object) -> Iterator[Violation]:
    found = content_digest(record)
    if promised != found:
        yield Violation("RR-18", f"content_digest is {promised!r}, the fields give {found}")


def _status(record: RunRecord) -> Iterator[Violation]:
    if (record.status == "not-applicable") != bool(record.reason):
        yield Violation("RR-04", f"status {record.status} with reason {record.reason!r}")
    if record.status == "not-applicable" and (record.metrics or record.per_class_accuracy):
        yield Violation("RR-04", "a run that is not applicable has metrics")


def _protocol(record: RunRecord) -> Iterator[Violation]:
    protocol = record.protocol
    if set(protocol) != _PROTOCOL:
        found = ", ".join(sorted(protocol)) or "nothing"
        yield Violation("RR-05", f"protocol holds {found}")
    for name in ("hold_fraction", "fit_fraction"):
        value = protocol.get(name, 0.5)
        if not (isinstance(value, float) and 0 < value < 1):
            yield Violation("RR-05", f"protocol.{name} is {value!r}, no number between 0 and 1")
    seed = protocol.get("split_seed", 0)
    if seed != "run" and type(seed) is not int:
        yield Violation("RR-05", f"protocol.split_seed is {seed!r}, neither a number nor 'run'")
    split = protocol.get("eval_split", _EVAL_SPLITS[0])
    if split not in _EVAL_SPLITS:
        yield Violation("RR-05", f"protocol.eval_split is {split!r}")
    if not isinstance(protocol.get("select", ""), str):
        yield Violation("RR-05", f"protocol.select is {protocol['select']!r}")


def _made_from(record: RunRecord) -> Iterator[Violation]:
    if "seed" in record.config:
        yield Violation("RR-06", "config holds a seed, which would part the runs of one method")
    for name in _INPUTS:
        value = record.inputs.get(name)
        if not (isinstance(value, str) and value) and (name in _REQUIRED or value is not None):
            yield Violation("RR-07", f"inputs.{name} is {value!r}, no digest")
    unknown = sorted(set(record.inputs) - set(_INPUTS))
    if unknown:
        yield Violation("RR-07", f"inputs holds unknown {', '.join(unknown)}")


def _numbers(record: RunRecord) -> Iterator[Violation]:
    missing = [name for name in _METRICS if name not in record.metrics]
    if record.status == "done" and missing:
        yield Violation("RR-08", f"metrics lacks {', '.join(missing)}")
    for name, value in record.metrics.items():
        if not 0 <= value <= 1:
            yield Violation("RR-08", f"metrics.{name} is {value}, no fraction")
    for number, share in enumerate(record.per_class_accuracy):
        if share is not None and not 0 <= share <= 1:
            yield Violation("RR-09", f"per_class_accuracy[{number}] is {share}, no fraction")
    if record.status == "done" and all(share is None for share in record.per_class_accuracy):
        yield Violation("RR-09", "per_class_accuracy has no class with rows")
    for name in (*_COUNTS, *(set(_LATER_COUNTS) & set(record.counts))):
        if record.counts.get(name, -1) < 0:
            yield Violation("RR-10", f"counts.{name} is {record.counts.get(name)}, no count")


def _surroundings(record: RunRecord) -> Iterator[Violation]:
    for name, seconds in record.timing.items():
        if seconds < 0:
            yield Violation("RR-11", f"timing.{name} is {seconds} seconds")
    versions = record.environment.get("versions")
    if not (isinstance(versions, dict) and versions):
        yield Violation("RR-11", f"environment.versions is {versions!r}, names no library")
    if not isinstance(record.environment.get("device"), str):
        yield Violation("RR-11", "environment.device is not named")
    try:
        when = datetime.fromisoformat(record.created)
    except ValueError:
        when = None
    if when is None or when.utcoffset() != timedelta(0):
        yield Violation("RR-11", f"created is {record.created!r}, no ISO 8601 time in UTC")
