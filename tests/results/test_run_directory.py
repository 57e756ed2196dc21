"""Laws of writing and finding runs."""

import dataclasses
import errno

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from w2s_cache.errors import RecordError, UnknownNameError
from w2s_cache.results import (
    PREDICTIONS_SCHEMA,
    TRACE_SCHEMA,
    find_runs,
    finished_run,
    run_directory,
    run_path,
    write_run,
)


@pytest.fixture
def write(tmp_path, predictions):
    """Writes runs that have predictions alone; gives their directories."""

    def write(record):
        return write_run(tmp_path, record, trace=None, predictions=predictions, head={}).directory

    return write


def test_a_run_is_four_files_in_its_own_directory(tmp_path, make_record, predictions, trace, head):
    """Every part is written under its name and comes back as it was given."""
    path, record = write_run(
        tmp_path, make_record(), trace=trace, predictions=predictions, head=head
    )
    assert path == tmp_path / "pocket" / "sketch" / "cpl" / record.run_id
    assert sorted(p.name for p in path.iterdir()) == [
        "head.safetensors",
        "predictions.parquet",
        "record.json",
        "trace.parquet",
    ]
    assert pq.read_table(path / "predictions.parquet") == predictions.cast(PREDICTIONS_SCHEMA)
    steps = pq.read_table(path / "trace.parquet")
    assert steps.schema.equals(TRACE_SCHEMA)
    assert steps.select(trace.column_names).to_pydict() == trace.to_pydict()
    np.testing.assert_array_equal(
        load_file(path / "head.safetensors")["prototypes"], head["prototypes"]
    )
    assert find_runs(tmp_path) == [record]


def test_parts_that_do_not_exist_leave_no_file(make_record, write):
    """No trace and no head mean no such files, not empty ones."""
    path = write(make_record())
    assert sorted(p.name for p in path.iterdir()) == ["predictions.parquet", "record.json"]


def test_narrower_types_and_other_orders_are_brought_into_form(tmp_path, make_record, predictions):
    """Columns in another order, int32 classes and unsorted rows give the same file."""
    record = make_record()
    shuffled = predictions.take([4, 2, 0, 1, 3]).select(reversed(predictions.column_names))
    narrow = shuffled.set_column(
        shuffled.column_names.index("label"), "label", shuffled.column("label").cast(pa.int32())
    )
    path = write_run(tmp_path, record, trace=None, predictions=narrow, head={}).directory
    assert pq.read_table(path / "predictions.parquet") == predictions.cast(PREDICTIONS_SCHEMA)


def test_a_trace_without_scores_gets_an_empty_column(tmp_path, make_record, predictions, trace):
    """A method that measures nothing on the way may leave val_score out."""
    bare = trace.drop_columns(["val_score"])
    path, _ = write_run(tmp_path, make_record(), trace=bare, predictions=predictions, head={})
    assert pq.read_table(path / "trace.parquet").column("val_score").null_count == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns(["weak"]), "columns row, path"),
        (lambda t: t.append_column("more", t.column("row")), "columns row, .* more"),
        (lambda t: t.set_column(2, "label", pa.array([0, 0, 1, None, 2])), "nulls in label"),
        (lambda t: t.set_column(2, "label", pa.array([0, 0.5, 1, 1, 2])), "truncated"),
        (lambda t: t.set_column(2, "label", pa.array(list("abcde"))), "label int64"),
    ],
    ids=["missing", "unknown", "null", "fraction", "text"],
)
def test_predictions_of_another_form_are_refused(
    tmp_path, make_record, predictions, change, message
):
    """A table that would lose something is refused and nothing is written."""
    with pytest.raises(RecordError, match=message):
        write_run(tmp_path, make_record(), trace=None, predictions=change(predictions), head={})
    assert list(tmp_path.iterdir()) == []


def test_a_done_run_needs_predictions(tmp_path, make_record, predictions):
    """A result without its evidence is refused, and so is evidence of a run that never was."""
    with pytest.raises(RecordError, match="done run without predictions"):
        write_run(tmp_path, make_record(), trace=None, predictions=None, head={})
    absent = make_record(status="not-applicable", reason="no text features")
    with pytest.raises(RecordError, match="not applicable, with files"):
        write_run(tmp_path, absent, trace=None, predictions=predictions, head={})
    path = write_run(tmp_path, absent, trace=None, predictions=None, head={}).directory
    assert [p.name for p in path.iterdir()] == ["record.json"]


def test_a_finished_run_is_replaced(tmp_path, make_record, predictions, trace, write):
    """Repeating a run leaves the newer files only."""
    record = make_record()
    write_run(tmp_path, record, trace=trace, predictions=predictions, head={})
    later = dataclasses.replace(record, created="2027-01-01T00:00:00+00:00")
    path = write(later)
    [found] = find_runs(tmp_path)
    assert found.created == later.created
    assert not (path / "trace.parquet").exists()


@pytest.mark.parametrize("array", ["confidence", "prototypes"])
def test_numbers_that_are_not_finite_are_never_written(
    tmp_path, make_record, predictions, head, array
):
    """A run whose head or confidence holds NaN or infinity is refused, and nothing is left."""
    head["prototypes"][0, 0] = np.inf if array == "prototypes" else 1
    if array == "confidence":
        place = predictions.column_names.index(array)
        predictions = predictions.set_column(place, array, pa.array([np.nan] * 5, pa.float32()))
    with pytest.raises(RecordError, match=rf"cannot be written.*NaN or infinity in {array}"):
        write_run(tmp_path, make_record(), trace=None, predictions=predictions, head=head)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["write_bytes", "write_text"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_failing_step_leaves_nothing(
    tmp_path, make_record, predictions, head, monkeypatch, step, failure
):
    """An interrupt or a full disk at any step leaves no directory that looks like a run."""

    def fail(*_args, **_keywords):
        raise failure

    monkeypatch.setattr(f"pathlib.Path.{step}", fail)
    with pytest.raises((RecordError, KeyboardInterrupt)) as caught:
        write_run(tmp_path, make_record(), trace=None, predictions=predictions, head=head)
    if isinstance(failure, OSError):
        assert "No space left. Free space" in str(caught.value)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    assert find_runs(tmp_path) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a\\b", ".hidden"])
def test_names_that_leave_the_results_are_refused(tmp_path, name):
    """No name of a record can lead out of its place or hide in it."""
    with pytest.raises(RecordError, match="domain cannot be a folder name"):
        run_path(tmp_path, dataset="d", domain=name, method="m", run_id="0")


def test_a_domain_may_have_spaces_and_other_letters(tmp_path, make_record, write):
    """Folder names of real data sets are kept as they are."""
    record = make_record(domain="Real World é")
    assert write(record).parent.parent.name == "Real World é"
    [found] = find_runs(tmp_path, domain="Real World é")
    assert found.run_id == record.run_id


def test_filters_choose_by_value_or_by_several(tmp_path, make_record, write):
    """A filter is a value or a collection of values of any field; results are in fixed order."""
    for seed in (2, 0, 1):
        for domain in ("sketch", "clipart"):
            write(make_record(seed=seed, domain=domain))
    found = find_runs(tmp_path)
    assert [(r.domain, r.seed) for r in found] == [
        (domain, seed) for domain in ("clipart", "sketch") for seed in (0, 1, 2)
    ]
    assert [r.seed for r in find_runs(tmp_path, domain="sketch", seed=[0, 2])] == [0, 2]
    assert find_runs(tmp_path, config={"lr": 0.5}) == []
    assert len(find_runs(tmp_path, config=make_record().config)) == 6


def test_an_unknown_filter_is_refused_with_the_nearest(tmp_path):
    """A misspelt filter would silently choose nothing."""
    with pytest.raises(UnknownNameError, match="Did you mean 'domain'"):
        find_runs(tmp_path, domian="sketch")


def test_no_results_directory_holds_no_runs(tmp_path):
    """Before the first run there are none, and that is no error."""
    assert find_runs(tmp_path / "none") == []


def test_only_records_are_read_and_temporaries_ignored(tmp_path, make_record, write):
    """Broken predictions, stray files and hidden directories do not disturb the search."""
    path = write(make_record())
    (path / "predictions.parquet").write_bytes(b"junk")
    (path.parent / ".abc.partial").mkdir()
    (path.parent / "notes.txt").write_text("x")
    assert len(find_runs(tmp_path)) == 1


def test_a_record_with_another_identity_than_its_fields_is_refused(tmp_path, make_record, write):
    """A record under a name of its own choosing would be found for a run it is not."""
    write(make_record(run_id="0" * 12))
    with pytest.raises(RecordError, match=r"record.json is not the record of the run it names"):
        find_runs(tmp_path)


def test_what_keeps_a_run_from_counting_as_finished_is_said(tmp_path, make_record, write):
    """A missing or broken file is a reason to run again; no directory is none."""
    path = write(make_record())
    assert [finished_run(path)] == find_runs(tmp_path)
    (path / "predictions.parquet").unlink()
    assert f"{path / 'predictions.parquet'} is not as it was" in finished_run(path)
    assert "found no file" in finished_run(path)
    (path / "record.json").write_text("{")
    assert "record.json is broken" in finished_run(path)
    assert finished_run(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "is broken"), (b"\xff", "cannot be read"), (None, "cannot be read")],
)
def test_a_broken_record_is_named(tmp_path, make_record, write, content, message):
    """A record that cannot be read is an error that names the file, never a run less."""
    path = write(make_record())
    file = path / "record.json"
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(RecordError, match=message) as caught:
        find_runs(tmp_path)
    assert str(file) in str(caught.value)


def test_a_directory_moved_by_hand_is_refused(tmp_path, make_record, write):
    """A record in another run's place would answer for the wrong domain."""
    path = write(make_record())
    path.parent.parent.rename(tmp_path / "pocket" / "real")
    with pytest.raises(RecordError, match=r"lies in another run's directory.*sketch"):
        find_runs(tmp_path, domain="real")


def test_the_whole_results_directory_may_move(tmp_path, make_record, predictions):
    """Nothing in a run depends on where the results are."""
    _, record = write_run(
        tmp_path / "a", make_record(), trace=None, predictions=predictions, head={}
    )
    (tmp_path / "a").rename(tmp_path / "b")
    assert find_runs(tmp_path / "b") == [record]


def test_file_names_are_those_of_the_specification():
    """The specification's tree names every file the code writes."""
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "run-record.md").read_text(encoding="utf-8")
    for name in ("RECORD_FILE", "TRACE_FILE", "PREDICTIONS_FILE", "HEAD_FILE"):
        assert f"    {getattr(run_directory, name)} " in text
