"""A zoo of broken runs: each mutation violates the law beside it."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from w2s_cache.results import OUTCOME_FIELDS, check_run, run_id, write_run
from w2s_cache.results.file_digest import digest_of
from w2s_cache.store.fingerprint import digest

ROOT = Path(__file__).parents[2]
P, T, H = "predictions.parquet", "trace.parquet", "head.safetensors"


def _record(**changes):
    """Changes fields of the record and renews identity and seal; the directory follows."""

    def mutate(path):
        data = json.loads((path / "record.json").read_text())
        for field, change in changes.items():
            data[field] = change(data[field]) if callable(change) else change
        if "run_id" not in changes:
            data["run_id"] = run_id({name: data[name] for name in OUTCOME_FIELDS})
        if "content_digest" not in changes:
            data.pop("content_digest")
            data["content_digest"] = digest(data)
        (path / "record.json").write_text(json.dumps(data))
        return path if "run_id" in changes else path.rename(path.parent / data["run_id"])

    return mutate


def _vouched(path):
    """Lets the record vouch for the files as they are now, so that their content is judged."""
    there = [path / name for name in (P, T, H) if (path / name).exists()]
    files = {file.name: dataclasses.asdict(digest_of(file.read_bytes())) for file in there}
    return _record(files=files)(path)


def _with(**values):
    return lambda old: old | values


def _without(name):
    return lambda old: {key: value for key, value in old.items() if key != name}


def _column(file, name, values):
    """Replaces a column of a table."""

    def mutate(path):
        table = pq.read_table(path / file)
        position = table.column_names.index(name)
        pq.write_table(table.set_column(position, name, pa.array(values)), path / file)
        return _vouched(path)

    return mutate


def _file(name, content):
    """Writes, or with None removes, a file."""

    def mutate(path):
        (path / name).unlink(missing_ok=True)
        if content is not None:
            (path / name).write_bytes(content)
        return path if name == "record.json" else _vouched(path)

    return mutate


def _nan_head(path):
    save_file({"prototypes": np.array([np.nan], dtype=np.float32)}, path / H)
    return _vouched(path)


def _flipped(name):
    """Changes one bit in the middle of a file, behind the record's back."""

    def mutate(path):
        content = bytearray((path / name).read_bytes())
        content[len(content) // 2] ^= 4
        (path / name).write_bytes(content)
        return path

    return mutate


def _gone(name):
    """Takes a file away, behind the record's back."""

    def mutate(path):
        (path / name).unlink()
        return path

    return mutate


def _bfloat_head(path):
    """A whole safetensors file of numbers that numpy does not have."""
    header = b'{"prototypes":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    return _file(H, len(header).to_bytes(8, "little") + header + b"\0\0")(path)


def _no_text(path):
    """A whole parquet file whose first path is no UTF-8."""
    table = pq.read_table(path / P)
    first = table.column("path").to_pylist()[0].encode()
    pq.write_table(table, path / P, compression="none", use_dictionary=False)
    content = (path / P).read_bytes()
    return _file(P, content.replace(first, b"\xff" * len(first)))(path)


def _moved(path):
    other = path.parent.parent / "kd"
    path.parent.rename(other)
    return other / path.name


ZOO = [
    ("RR-01", _file("record.json", None)),
    ("RR-01", _file("record.json", b"{")),
    ("RR-01", _file("record.json", b"\xff")),
    ("RR-02", _record(run_id="0" * 12)),
    ("RR-03", _moved),
    ("RR-04", _record(reason="because")),
    ("RR-04", _record(status="not-applicable")),
    ("RR-04", _record(status="not-applicable", reason="no text features")),
    ("RR-05", _record(protocol=_without("select"))),
    ("RR-05", _record(protocol=_with(more=1))),
    ("RR-05", _record(protocol=_with(hold_fraction=80))),
    ("RR-05", _record(protocol=_with(fit_fraction="0.8"))),
    ("RR-05", _record(protocol=_with(split_seed="random"))),
    ("RR-05", _record(protocol=_with(split_seed=True))),
    ("RR-05", _record(protocol=_with(eval_split="train"))),
    ("RR-05", _record(protocol=_with(select=None))),
    ("RR-06", _record(config=_with(seed=0))),
    ("RR-07", _record(inputs=_without("index_digest"))),
    ("RR-07", _record(inputs=_without("request_digest"))),
    ("RR-07", _record(inputs=_with(image_key=""))),
    ("RR-07", _record(inputs=_with(index_digest=None))),
    ("RR-07", _record(inputs=_with(picture_key="x"))),
    ("RR-07", _record(inputs=_with(anchors_key=7))),
    ("RR-08", _record(metrics=_without("agreement"))),
    ("RR-08", _record(metrics=_with(val_score=50.0))),
    ("RR-09", _record(per_class_accuracy=[1.0, 0.5, 1.0, 2.0])),
    ("RR-09", _record(per_class_accuracy=[])),
    ("RR-10", _record(counts=_without("skipped"))),
    ("RR-10", _record(counts=_with(fit=-1))),
    ("RR-11", _record(timing=_with(train=-0.5))),
    ("RR-11", _record(environment=_with(versions={}))),
    ("RR-11", _record(environment=_without("device"))),
    ("RR-11", _record(created="yesterday")),
    ("RR-11", _record(created="2026-01-02T03:04:05")),
    ("RR-11", _record(created="2026-01-02T03:04:05+01:00")),
    ("RR-12", _file("notes.txt", b"x")),
    ("RR-12", _file(P, None)),
    ("RR-12", _record(status="not-applicable", reason="x", metrics={}, per_class_accuracy=[])),
    ("RR-13", _file(P, b"junk")),
    ("RR-13", _no_text),
    ("RR-13", _column(P, "row", pa.array([1, 2, 2, 3, 4]))),
    ("RR-13", _column(P, "row", pa.array([1, 2, 3, 4, 5], pa.int32()))),
    ("RR-13", _column(P, "label", pa.array([0, 0, 1, 1, None]))),
    ("RR-13", _column(P, "predicted", [0, 0, 1, 2, 4])),
    ("RR-13", _column(P, "weak", [0, 0, 1, 2, -1])),
    ("RR-13", _column(P, "confidence", np.array([0.5, 0.5, 0.5, 0.5, np.nan], np.float32))),
    ("RR-14", _record(counts=_with(eval=6))),
    ("RR-14", _record(metrics=_with(accuracy=0.81))),
    ("RR-14", _record(metrics=_with(agreement=0.81))),
    ("RR-14", _record(metrics=_with(weak_accuracy=0.61))),
    ("RR-14", _record(metrics=_with(mean_per_class_recall=0.8))),
    ("RR-14", _record(per_class_accuracy=[1.0, 0.5, 1.0, 0.0])),
    ("RR-14", _record(per_class_accuracy=[1.0, 0.6, 1.0, None])),
    ("RR-15", _file(T, b"junk")),
    ("RR-15", _column(T, "step", [0, 0])),
    ("RR-15", _column(T, "loss", [1.0, float("inf")])),
    ("RR-15", _column(T, "val_score", [1.0, float("nan")])),
    ("RR-15", _column(T, "lr", pa.array([1.0, None]))),
    ("RR-17", _column(T, "eval_accuracy", [0.5, 0.5])),
    ("RR-17", _column(T, "fit_accuracy", [float("nan"), None])),
    ("RR-17", _column(T, "eval_accuracy", [50.0, None])),
    ("RR-15", _column(T, "eval_accuracy", pa.array([1, 0]))),
    ("RR-16", _file(H, b"junk")),
    ("RR-16", _nan_head),
    ("RR-16", _bfloat_head),
    ("RR-18", _record(content_digest="0" * 64)),
    ("RR-18", _record(content_digest=None)),
    *[("RR-19", _flipped(name)) for name in (P, T, H)],
    *[("RR-19", _gone(name)) for name in (P, T, H)],
    *[("RR-19", _record(files=_without(name))) for name in (P, T, H)],
    ("RR-19", _record(files=lambda files: files | {T: files[T] | {"bytes": 1}})),
    ("RR-19", _record(files=lambda files: files | {T: files[T] | {"digest": "0" * 32}})),
    ("RR-01", _record(files=_with(**{"../record.json": {"bytes": 0, "digest": ""}}))),
    ("RR-01", _record(files=lambda files: files | {T: "unknown"})),
]


@pytest.fixture
def run(tmp_path, make_record, predictions, trace, head):
    """A run that violates nothing."""
    written = write_run(tmp_path, make_record(), trace=trace, predictions=predictions, head=head)
    return written.directory


def test_a_written_run_violates_nothing(run):
    """What write_run writes is lawful."""
    assert check_run(run) == []


def test_a_run_that_is_not_applicable_can_be_lawful(tmp_path, make_record):
    """A record alone, with a reason and without numbers, is a lawful run."""
    record = make_record(
        status="not-applicable", reason="no text features", metrics={}, per_class_accuracy=[]
    )
    written = write_run(tmp_path, record, trace=None, predictions=None, head={})
    assert check_run(written.directory) == []


def test_a_trace_without_accuracies_stays_lawful(run):
    """Runs from before the two columns existed are as lawful as before."""
    pq.write_table(
        pq.read_table(run / T).select(["step", "epoch", "loss", "lr", "val_score"]), run / T
    )
    assert check_run(_vouched(run)) == []


def test_a_trace_with_one_of_the_two_accuracies_is_not(run):
    """The columns come together."""
    pq.write_table(pq.read_table(run / T).drop_columns(["eval_accuracy"]), run / T)
    assert [violation.law for violation in check_run(_vouched(run))] == ["RR-15"]


def test_a_trace_with_accuracies_is_lawful(run):
    """Measured at the end of an epoch, absent elsewhere."""
    for name in ("fit_accuracy", "eval_accuracy"):
        _column(T, name, pa.array([None, 0.5]))(run)
    assert check_run(run) == []


@pytest.mark.parametrize(("law", "mutate"), ZOO)
def test_each_mutation_violates_its_law(run, law, mutate):
    """The law beside the mutation is among those reported, and every message says something."""
    violations = check_run(mutate(run))
    assert law in {violation.law for violation in violations}
    assert all(violation.message for violation in violations)


def test_all_violations_are_listed(run):
    """One broken law does not hide the next."""
    path = _file(T, b"junk")(_nan_head(_record(counts=_with(fit=-1), reason="x")(run)))
    assert [violation.law for violation in check_run(path)] == ["RR-04", "RR-10", "RR-15", "RR-16"]


def test_predictions_without_rows_are_reported_not_raised(run):
    """An empty table is a violation, not a crash of the check."""
    path = run / P
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert [violation.law for violation in check_run(_vouched(run))] == ["RR-14"]


def test_a_damaged_file_is_looked_at_no_further(run):
    """Bytes that are not those written have one violation and are never parsed."""
    (run / P).write_bytes(b"junk")
    [violation] = check_run(run)
    assert violation.law == "RR-19"
    assert f"{P} is not as it was written" in violation.message


def test_every_law_of_the_specification_is_checked_and_tested():
    """The document, the code and this zoo speak of the same laws, none forgotten."""
    document = (ROOT / "docs" / "run-record.md").read_text(encoding="utf-8")
    laws = set(re.findall(r"^\*\*(RR-\d\d)\*\*", document, flags=re.MULTILINE))
    results = ROOT / "w2s_cache" / "results"
    code = "".join((results / name).read_text() for name in ("check.py", "check_files.py"))
    assert laws == {f"RR-{number:02d}" for number in range(1, 20)}
    assert laws == set(re.findall(r'"(RR-\d\d)"', code))
    assert laws == {law for law, _ in ZOO}


def test_the_table_of_fields_is_complete(make_record):
    """The document names every field of the record and no other."""
    document = (ROOT / "docs" / "run-record.md").read_text(encoding="utf-8")
    lines = [line for line in document.splitlines() if line.startswith("| `")]
    named = {name for line in lines for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    fields = {field.name for field in dataclasses.fields(make_record())}
    assert named == fields | {"content_digest"}
