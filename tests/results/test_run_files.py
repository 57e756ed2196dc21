"""Laws of reading what lies beside a record."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from w2s_cache.errors import RecordError
from w2s_cache.results import (
    TRACE_SCHEMA,
    read_head,
    read_predictions,
    read_trace,
    write_run,
)


@pytest.fixture
def written(tmp_path, make_record, predictions, trace, head):
    """A run with all files: results, record and directory."""
    record = make_record()
    path = write_run(tmp_path, record, trace=trace, predictions=predictions, head=head)
    return tmp_path, record, path


def test_what_was_written_is_read(written, predictions, head):
    """Every column and array comes back."""
    results, record, _ = written
    told = read_predictions(results, record)
    for name in ("row", "label", "weak", "predicted"):
        assert getattr(told, name).tolist() == predictions.column(name).to_pylist()
    assert list(told.path) == predictions.column("path").to_pylist()
    assert np.array_equal(read_head(results, record)["prototypes"], head["prototypes"])


def test_a_trace_gains_the_columns_it_lacks(written):
    """A trace from before accuracies is read as one whose accuracies are null."""
    results, record, path = written
    file = path / "trace.parquet"
    pq.write_table(pq.read_table(file).select(["step", "epoch", "loss", "lr", "val_score"]), file)
    told = read_trace(results, record)
    assert told.schema.names == TRACE_SCHEMA.names
    assert told.column("eval_accuracy").to_pylist() == [None, None]
    assert told.column("val_score").to_pylist() == [None, 0.5]


def test_what_a_run_does_not_have_is_nothing(tmp_path, make_record, predictions):
    """A method without steps has no trace and no head."""
    record = make_record()
    write_run(tmp_path, record, trace=None, predictions=predictions, head={})
    assert read_trace(tmp_path, record) is None
    assert read_head(tmp_path, record) == {}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("predictions.parquet", read_predictions),
        ("trace.parquet", read_trace),
        ("head.safetensors", read_head),
    ],
)
def test_broken_files_are_named(written, name, read):
    """The message has the file and the next step."""
    results, record, path = written
    (path / name).write_bytes(b"junk")
    with pytest.raises(RecordError, match=name):
        read(results, record)


def test_predictions_of_other_rows_than_the_record_s_are_refused(written):
    """A record and predictions that disagree about the number of rows are not one run."""
    results, record, _ = written
    other = dataclasses.replace(record, counts={**record.counts, "eval": 6})
    with pytest.raises(RecordError, match="expected 6 rows, found 5 rows"):
        read_predictions(results, other)
