"""Laws of reading what lies beside a record."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from w2s_cache.errors import RecordError
from w2s_cache.results import (
    TRACE_SCHEMA,
    finished_run,
    read_head,
    read_predictions,
    read_trace,
    write_run,
)
from w2s_cache.results.file_digest import digest_of, read_verified

FILES = [
    ("predictions.parquet", read_predictions),
    ("trace.parquet", read_trace),
    ("head.safetensors", read_head),
]


@pytest.fixture
def written(tmp_path, make_record, predictions, trace, head):
    """A run with all files: results, record and directory."""
    path, record = write_run(
        tmp_path, make_record(), trace=trace, predictions=predictions, head=head
    )
    return tmp_path, record, path


def _vouched(record, file):
    """The record as if it had been written with this file."""
    files = record.files | {file.name: digest_of(file.read_bytes())}
    return dataclasses.replace(record, files=files)


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
    told = read_trace(results, _vouched(record, file))
    assert told.schema.names == TRACE_SCHEMA.names
    assert told.column("eval_accuracy").to_pylist() == [None, None]
    assert told.column("val_score").to_pylist() == [None, 0.5]


def test_what_a_run_does_not_have_is_nothing(tmp_path, make_record, predictions):
    """A method without steps has no trace and no head."""
    _, record = write_run(tmp_path, make_record(), trace=None, predictions=predictions, head={})
    assert read_trace(tmp_path, record) is None
    assert read_head(tmp_path, record) == {}


@pytest.mark.parametrize(("name", "read"), FILES)
def test_broken_files_are_named(written, name, read):
    """What never was a table or arrays is an error with the file and the next step."""
    results, record, path = written
    (path / name).write_bytes(b"junk")
    with pytest.raises(RecordError, match=f"{name} cannot be used.*run that method again"):
        read(results, _vouched(record, path / name))


@pytest.mark.parametrize(("name", "read"), FILES)
def test_no_bit_of_a_file_changes_unnoticed(written, name, read):
    """One bit flipped anywhere is refused by the reader, and the run does not count as finished."""
    results, record, path = written
    whole = (path / name).read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        (path / name).write_bytes(damaged)
        with pytest.raises(RecordError, match=f"{name} is not as it was written"):
            read(results, record)
        assert f"{name} is not as it was written" in finished_run(path)
    (path / name).write_bytes(whole)
    assert finished_run(path) == record


@pytest.mark.parametrize(("name", "read"), FILES)
def test_nonsense_under_a_right_hash_ends_in_one_sentence(written, name, read):
    """Whatever parquet and safetensors raise over bytes somebody vouched for is a RecordError."""
    results, record, path = written
    whole = (path / name).read_bytes()
    refused = 0
    for place in range(0, len(whole), 3):
        nonsense = bytearray(whole)
        nonsense[place] ^= 1 << (7 - place % 8)
        (path / name).write_bytes(nonsense)
        try:
            read(results, _vouched(record, path / name))
        except RecordError:
            refused += 1
    assert refused


@pytest.mark.parametrize(("name", "read"), FILES)
def test_a_file_that_is_gone_or_of_another_size_is_refused(written, name, read):
    """What the record names has to be there, whole: an absent trace is no run without steps."""
    results, record, path = written
    whole = (path / name).read_bytes()
    for content in (whole[:-1], whole + b"\0", b""):
        (path / name).write_bytes(content)
        with pytest.raises(
            RecordError, match=f"expected {len(whole):,} bytes, found {len(content):,} bytes"
        ):
            read(results, record)
    (path / name).unlink()
    with pytest.raises(RecordError, match=f"{name} is not as it was written.*found no file"):
        read(results, record)


def test_a_done_run_whose_record_names_no_predictions_is_refused(written):
    """Predictions nobody vouches for are not read."""
    results, record, _ = written
    with pytest.raises(RecordError, match="a record that names no such file"):
        read_predictions(results, dataclasses.replace(record, files={}))


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 1])
def test_files_of_any_length_are_read_as_they_were_hashed(tmp_path, size):
    """Block by block or at once, the hash and the content are the same."""
    file, content = tmp_path / "f", np.arange(size, dtype=np.uint8).tobytes()
    file.write_bytes(content)
    assert read_verified(file, digest_of(content)) == content


def test_predictions_of_other_rows_than_the_record_s_are_refused(written):
    """A record and predictions that disagree about the number of rows are not one run."""
    results, record, _ = written
    other = dataclasses.replace(record, counts={**record.counts, "eval": 6})
    with pytest.raises(RecordError, match="expected 6 rows, found 5 rows"):
        read_predictions(results, other)
