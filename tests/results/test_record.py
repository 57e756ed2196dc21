"""Laws of the record's JSON form and identity."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.errors import RecordError
from w2s_cache.results import (
    OUTCOME_FIELDS,
    FileDigest,
    RunRecord,
    record_from_json,
    record_to_json,
    run_id,
)
from w2s_cache.store.fingerprint import digest

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
RECORDS = st.builds(
    RunRecord,
    run_id=TEXT,
    method=TEXT,
    dataset=TEXT,
    domain=TEXT,
    strong=TEXT,
    weak=TEXT,
    spec=TEXT,
    seed=st.integers(),
    protocol=OBJECT,
    config=OBJECT,
    inputs=OBJECT,
    status=st.sampled_from(["done", "not-applicable"]),
    reason=TEXT,
    metrics=st.dictionaries(TEXT, NUMBER, max_size=3),
    per_class_accuracy=st.lists(st.none() | NUMBER, max_size=3),
    counts=st.dictionaries(TEXT, st.integers(), max_size=3),
    selected=st.dictionaries(TEXT, NUMBER, max_size=3),
    timing=st.dictionaries(TEXT, NUMBER, max_size=3),
    environment=OBJECT,
    created=TEXT,
    files=st.dictionaries(
        st.sampled_from(["predictions.parquet", "trace.parquet", "head.safetensors"]),
        st.builds(FileDigest, st.integers(0), TEXT),
    ),
)


@given(RECORDS)
def test_json_and_back_is_the_same_record(record):
    """Writing and reading are inverses, to the last digit and the last character."""
    text = record_to_json(record)
    again = record_from_json(text)
    assert again == record
    assert record_to_json(again) == text


def test_key_order_does_not_change_the_bytes(make_record):
    """Equal records give equal text, however their objects were filled."""
    one = make_record(config={"a": 1, "b": 2})
    other = make_record(config={"b": 2, "a": 1})
    assert record_to_json(one) == record_to_json(other)


@pytest.mark.parametrize(
    "config",
    [{"a": (1, 2)}, {"a": float("nan")}, {1: "a"}, {"a": {1, 2}}],
    ids=["tuple", "nan", "number as key", "set"],
)
def test_values_that_would_not_come_back_are_refused(make_record, config):
    """What JSON would change or cannot say is an error at writing."""
    record = make_record(config={})
    with pytest.raises(RecordError, match=r"record of cpl on sketch cannot be written"):
        record_to_json(dataclasses.replace(record, config=config))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d | {"extra": 1}, "extra: unexpected"),
        (lambda d: {k: v for k, v in d.items() if k != "status"}, "no status"),
        (lambda d: {k: v for k, v in d.items() if k != "seed"}, "no seed"),
        (lambda d: d | {"seed": "0"}, "seed: input should be a valid integer"),
        (lambda d: d | {"seed": True}, "seed: input should be a valid integer"),
        (lambda d: d | {"metrics": {"accuracy": "high"}}, "metrics.accuracy"),
        (lambda d: d | {"schema": "w2s-cache/run-record/3"}, "schema: input should be"),
        (lambda d: d | {"files": {"../x": {"bytes": 0, "digest": ""}}}, "files.../x"),
        (lambda d: d | {"files": {"trace.parquet": {"bytes": 1}}}, "trace.parquet.digest: field"),
        (lambda d: d | {"status": "crashed"}, "status: input should be 'done'"),
        (lambda d: [d], "the document"),
    ],
)
def test_documents_of_another_form_are_refused(make_record, change, message):
    """Unknown, missing and mistyped fields are named."""
    data = json.loads(record_to_json(make_record()))
    with pytest.raises(RecordError, match=message):
        record_from_json(json.dumps(change(data)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"seed": 0', '"seed": 0, "seed": 1', "repeated key seed"),
        ('"seed": 0', '"seed": NaN', "NaN, which is no JSON number"),
        ('"lr": 0.01', '"lr": Infinity', "Infinity, which is no JSON number"),
        ('"seed": 0', '"seed": ', "Expecting value"),
    ],
)
def test_text_that_is_not_strict_json_is_refused(make_record, old, new, message):
    """Repeated keys and numbers outside JSON never pass silently; the origin is named."""
    text = record_to_json(make_record())
    assert old in text
    with pytest.raises(RecordError, match=message) as caught:
        record_from_json(text.replace(old, new), origin="here/record.json")
    assert "here/record.json is broken" in str(caught.value)


def test_all_problems_are_listed_at_once(make_record):
    """A document with two wrong fields names both."""
    data = json.loads(record_to_json(make_record())) | {"seed": "x", "created": 3}
    with pytest.raises(RecordError, match=r"(?s)seed.*created"):
        record_from_json(json.dumps(data))


def test_a_record_of_the_older_format_is_told_from_a_broken_one(make_record):
    """Its runs may be whole and cannot prove it; the sentence says that, and what to do."""
    data = json.loads(record_to_json(make_record()))
    del data["files"]
    older = json.dumps(data | {"schema": "w2s-cache/run-record/1"})
    with pytest.raises(RecordError, match=r"here/record\.json is of an older format") as caught:
        record_from_json(older, origin="here/record.json")
    assert caught.value.found == "w2s-cache/run-record/1"
    assert "Run that method again" in caught.value.fix


@pytest.mark.parametrize(
    ("old", "new"),
    [('"accuracy": 0.8', '"accuracy": 0.9'), ('"eval": 5', '"eval": 6'), ("+00:00", "+00:01")],
)
def test_a_record_edited_by_hand_is_refused(make_record, old, new):
    """Every field is under the seal, those that decide nothing too; the origin is named."""
    text = record_to_json(make_record())
    assert text.count(old) == 1
    with pytest.raises(RecordError, match=r"here/record.json was changed after it was written"):
        record_from_json(text.replace(old, new), origin="here/record.json")


def test_the_seal_is_the_digest_of_all_other_fields(make_record):
    """A reader in another language computes the same from the document alone."""
    data = json.loads(record_to_json(make_record()))
    assert data.pop("content_digest") == digest(data)


@pytest.mark.parametrize("field", OUTCOME_FIELDS)
def test_identity_depends_on_every_outcome_field(make_record, field):
    """Changing any field that decides the numbers changes the identity."""
    outcome = make_record().outcome()
    changed = outcome | {field: 7 if field == "seed" else {"x": 1}}
    assert run_id(changed) != run_id(outcome)


def test_identity_ignores_time_machine_and_spec_name(make_record):
    """What does not decide the numbers is not in the identity."""
    other = make_record(
        spec="copy", timing={}, environment={}, created="later", counts={}, metrics={}
    )
    assert other.run_id == make_record().run_id
    assert len(other.run_id) == 12


def test_identity_needs_exactly_the_outcome_fields(make_record):
    """A forgotten or an additional field is refused rather than hashed."""
    outcome = make_record().outcome()
    with pytest.raises(RecordError, match="cannot be identified"):
        run_id(outcome | {"device": "cpu"})
    with pytest.raises(RecordError, match="cannot be identified"):
        run_id({name: outcome[name] for name in OUTCOME_FIELDS[1:]})
