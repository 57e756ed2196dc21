"""Laws of keys: one form per value, and differences named field by field."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import StaleStoreError, StoreError
from w2s_cache.store.fingerprint import (
    ABSENT,
    Difference,
    canonical_json,
    diff_keys,
    digest,
    file_sha256,
    stale_error,
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FLOATS | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def reversed_fields(value: object) -> object:
    """The same value with every mapping in reverse order and every list as a tuple."""
    if isinstance(value, dict):
        return {k: reversed_fields(v) for k, v in reversed(value.items())}
    return tuple(map(reversed_fields, value)) if isinstance(value, list) else value


@settings(deadline=None)
@given(VALUES)
def test_order_of_fields_and_tuples_do_not_matter(value: object) -> None:
    """Mappings in another order and tuples in place of lists have the same canonical form."""
    assert canonical_json(reversed_fields(value)) == canonical_json(value)


@settings(deadline=None)
@given(VALUES)
def test_canonical_form_survives_a_trip_through_json(value: object) -> None:
    """Writing a value with any JSON writer and reading it back keeps its canonical form."""
    assert canonical_json(json.loads(json.dumps(value))) == canonical_json(value)
    assert canonical_json(json.loads(canonical_json(value))) == canonical_json(value)


@settings(deadline=None)
@given(st.lists(st.integers() | FLOATS, min_size=2, max_size=2))
def test_numbers_agree_exactly_when_python_says_so(pair: list[float]) -> None:
    """Two numbers have one canonical form if and only if they are equal."""
    assert (canonical_json(pair[0]) == canonical_json(pair[1])) == (pair[0] == pair[1])


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        (1.0, b"1"),
        (-0.0, b"0"),
        (0.1, b"0.1"),
        (1e-7, b"1e-07"),
        ("é", b'"\\u00e9"'),
    ],
)
def test_canonical_form_is_this_very_text(value: object, form: bytes) -> None:
    """Golden forms, written by hand from the rules; digests of stores on disk depend on them."""
    assert canonical_json(value) == form
    assert digest(value) == hashlib.sha256(form).hexdigest()


@pytest.mark.parametrize(
    ("value", "field", "found"),
    [
        ({"a": {"b": float("nan")}}, "a.b", "nan"),
        ({"a": [0, float("-inf")]}, r"a\[1\]", "-inf"),
        ({"a": np.float32(1)}, "a", "float32"),
        ({"a": {1: 2}}, "a", "field name 1"),
        ({"a": b"x"}, "a", "bytes"),
        ({"a": {"x"}}, "a", "set"),
    ],
)
def test_what_has_no_canonical_form_is_refused_by_field(
    value: object, field: str, found: str
) -> None:
    """NaN, infinities, other types and other key types are refused, naming the field."""
    with pytest.raises(StoreError, match=rf"field {field} .*found .*{found}"):
        canonical_json(value)


def test_booleans_are_not_numbers() -> None:
    """True and 1 are different settings."""
    assert canonical_json(True) != canonical_json(1)


def test_differences_name_each_field_with_both_values() -> None:
    """Nested, changed, added and removed fields are all listed, sorted by field."""
    stored = {"encoder": {"tag": "openai", "arch": "B"}, "classes": ["a", "b"], "old": None}
    wanted = {"encoder": {"tag": "laion", "arch": "B"}, "classes": ["a", "c"], "new": [1]}
    assert diff_keys(stored, wanted) == [
        Difference(field="classes[1]", stored="b", wanted="c"),
        Difference(field="encoder.tag", stored="openai", wanted="laion"),
        Difference(field="new", stored=ABSENT, wanted=[1]),
        Difference(field="old", stored=None, wanted=ABSENT),
    ]


def test_lists_of_other_length_are_one_difference() -> None:
    """A class list that lost a line is reported once, as a whole."""
    found = diff_keys({"classes": ["a", "b"]}, {"classes": ["b"]})
    assert [d.field for d in found] == ["classes"]


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
def test_a_key_differs_from_itself_in_nothing(key: dict[str, object]) -> None:
    """Equal keys have no differences, whatever their order."""
    assert diff_keys(key, dict(reversed(key.items()))) == []


@settings(deadline=None)
@given(VALUES, VALUES)
def test_differences_exist_exactly_when_digests_differ(a: object, b: object) -> None:
    """The list of differences is empty if and only if the digests agree."""
    assert (diff_keys({"x": a}, {"x": b}) == []) == (digest({"x": a}) == digest({"x": b}))


def test_stale_error_shows_ten_differences_and_counts_the_rest() -> None:
    """A long list of differences is cut, and the number cut is said."""
    many = diff_keys({}, {f"f{i:02d}": i for i in range(13)})
    with pytest.raises(
        StaleStoreError, match=r"f09 = 9 and 3 more, found f00 = \(absent\)"
    ) as caught:
        raise stale_error("store", many, fix="Do.")
    assert "f10" not in str(caught.value)


def test_stale_error_shortens_long_values() -> None:
    """A list of 345 class names does not fill the screen; its length is said."""
    found = diff_keys({"c": []}, {"c": [f"class {i}" for i in range(345)]})
    message = str(stale_error("store", found, fix="Do."))
    assert '345 items ["class 0"' in message
    assert len(message) < 300


def test_file_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    """The file digest is hashlib's sha256 of the content."""
    (tmp_path / "w").write_bytes(b"weights" * 9999)
    assert file_sha256(tmp_path / "w") == hashlib.sha256(b"weights" * 9999).hexdigest()


def test_hash_of_an_absent_file_is_an_error(tmp_path: Path) -> None:
    """A file that cannot be read has no digest."""
    with pytest.raises(StoreError, match=r"cannot hash .*gone.*No such file"):
        file_sha256(tmp_path / "gone")


def test_a_decoder_that_a_model_does_not_name_is_pillow():
    """Older caches, and those of the default, say it by silence; what has no model has none."""
    fast, silent = {"model": "m", "decoder": "fast"}, {"model": "m"}
    [found] = diff_keys(silent, fast)
    assert (found.stored, found.wanted) == ("pillow", "fast")
    assert diff_keys(silent, silent | {"decoder": "pillow"}) == []
    imported = {found.field: found.stored for found in diff_keys({"imported": True}, fast)}
    assert imported["decoder"] is ABSENT
