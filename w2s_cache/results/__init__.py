"""Run records: what a training run leaves behind, written and read as one directory."""

from __future__ import annotations

from w2s_cache.results.check import check_run
from w2s_cache.results.file_digest import FileDigest
from w2s_cache.results.find import find_runs, finished_run, read_record
from w2s_cache.results.record import DIVERGED, OUTCOME_FIELDS, SCHEMA, RunRecord, run_id
from w2s_cache.results.record_json import record_from_json, record_to_json
from w2s_cache.results.run_directory import run_path, write_run
from w2s_cache.results.run_files import Predictions, read_head, read_predictions, read_trace
from w2s_cache.results.run_tables import PREDICTIONS_SCHEMA, TRACE_SCHEMA
from w2s_cache.results.violation import Violation

__all__ = [
    "DIVERGED",
    "OUTCOME_FIELDS",
    "PREDICTIONS_SCHEMA",
    "SCHEMA",
    "TRACE_SCHEMA",
    "FileDigest",
    "Predictions",
    "RunRecord",
    "Violation",
    "check_run",
    "find_runs",
    "finished_run",
    "read_head",
    "read_predictions",
    "read_record",
    "read_trace",
    "record_from_json",
    "record_to_json",
    "run_id",
    "run_path",
    "write_run",
]
