"""Laws of the file that joins what training reads."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.errors import CorruptStoreError, StaleStoreError, StoreError, StoreWriteError
from w2s_cache.store.feature_set import (
    FeatureSet,
    StoreRef,
    feature_set_path,
    open_member,
    read_feature_set,
    write_feature_set,
)
from w2s_cache.store.reader import open_store

REQUEST = {"strong": {"precision": "fp32", "templates": ["a photo of a {}"]}, "epochs": 1.0}
PAIR = {"dataset": "domainnet", "domain": "real", "strong": "RN50:openai", "weak": "resnet18"}
REF = StoreRef(path="v1/domainnet/real/image/RN50@openai-0123456789ab", key_digest="0" * 64)
SET = FeatureSet(
    **PAIR,
    request=REQUEST,
    index_digest="1" * 64,
    image=REF,
    logits=replace(REF, path="v1/domainnet/real/logits/resnet18-0123456789ab"),
    text=None,
    created="2025-01-01T00:00:00+00:00",
)


def edit(path: Path, **changes: Any) -> None:
    """Replace fields of a feature set on disk."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("text", [None, replace(REF, path="v1/domainnet/text/RN50@openai-00")])
def test_a_feature_set_reads_back_as_written(tmp_path: Path, text: StoreRef | None) -> None:
    """Writing and reading are inverse, with and without text."""
    made = replace(SET, text=text)
    path = write_feature_set(tmp_path, made)
    assert path == tmp_path / "v1/domainnet/real/sets/RN50@openai__resnet18.json"
    assert read_feature_set(tmp_path, **PAIR, request=REQUEST) == made


def test_tuples_and_field_order_of_a_request_do_not_matter(tmp_path: Path) -> None:
    """The same request in other Python clothes is a hit."""
    write_feature_set(tmp_path, SET)
    same = {"epochs": 1, "strong": {"templates": ("a photo of a {}",), "precision": "fp32"}}
    assert read_feature_set(tmp_path, **PAIR, request=same).image == REF


def test_a_missing_feature_set_names_the_command(tmp_path: Path) -> None:
    """Without extraction the reader says exactly what to run."""
    with pytest.raises(
        StoreError, match=r"`w2s-cache .* --domain real --strong .* --weak .*`"
    ) as caught:
        read_feature_set(tmp_path, **PAIR, request=REQUEST)
    assert str(feature_set_path(tmp_path, **PAIR)) in caught.value.expected
    assert caught.value.found.endswith("none in the cache")
    assert caught.value.fix.startswith("Run `w2s-cache extract")
    write_feature_set(tmp_path, SET)
    with pytest.raises(StoreError, match="in the cache are RN50:openai and resnet18") as caught:
        read_feature_set(tmp_path, **{**PAIR, "weak": "other"}, request=REQUEST)
    there, made = caught.value.fix.split(", or run ")
    assert there == "Give `--weak resnet18` to use what is there"
    assert made.startswith("`w2s-cache extract --domain real")


@pytest.mark.parametrize(
    ("request_now", "field", "wanted", "stored"),
    [
        ({**REQUEST, "epochs": 2}, "epochs", "2", "1"),
        (
            {**REQUEST, "strong": {"precision": "bf16", "templates": ["a photo of a {}"]}},
            "strong.precision",
            '"bf16"',
            '"fp32"',
        ),
        (
            {**REQUEST, "strong": {"precision": "fp32", "templates": ["{}"]}},
            "strong.templates[0]",
            '"{}"',
            '"a photo of a {}"',
        ),
        ({**REQUEST, "storage": "f2"}, "storage", '"f2"', "(absent)"),
    ],
)
def test_another_request_is_refused_by_field(
    tmp_path: Path, request_now: dict[str, Any], field: str, wanted: str, stored: str
) -> None:
    """Each differing field of the request is named with the wanted and the stored value."""
    write_feature_set(tmp_path, SET)
    with pytest.raises(StaleStoreError, match="extract --domain real") as caught:
        read_feature_set(tmp_path, **PAIR, request=request_now)
    assert caught.value.expected == f"{field} = {wanted}"
    assert caught.value.found == f"{field} = {stored}"


def test_all_differing_fields_are_named(tmp_path: Path) -> None:
    """Two differences are two names."""
    write_feature_set(tmp_path, SET)
    with pytest.raises(StaleStoreError) as caught:
        read_feature_set(tmp_path, **PAIR, request={"epochs": 2, "strong": 0})
    assert caught.value.expected == "epochs = 2, strong = 0"


def test_the_file_of_another_pair_is_refused(tmp_path: Path) -> None:
    """A file that was copied to another pair's name does not pass for it."""
    path = write_feature_set(tmp_path, SET)
    other = {**PAIR, "weak": "alexnet"}
    shutil.copy(path, feature_set_path(tmp_path, **other))
    with pytest.raises(StaleStoreError, match='weak = "alexnet", found weak = "resnet18"'):
        read_feature_set(tmp_path, **other, request=REQUEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "w2s-cache/feature-set/2"},
        {"color": 1},
        {"index_digest": 1},
        {"image": None},
        {"image": {"path": "../up", "key_digest": "0"}},
        {"image": {"path": "x", "key_digest": "0", "more": 1}},
    ],
)
def test_a_damaged_feature_set_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Other schemas, unknown fields, wrong types and escaping paths are errors."""
    edit(write_feature_set(tmp_path, SET), **changes)
    with pytest.raises(CorruptStoreError, match=r"`w2s-cache .* --domain real --strong .*` again"):
        read_feature_set(tmp_path, **PAIR, request=REQUEST)


def test_no_flipped_bit_of_a_request_passes_for_another_request(tmp_path: Path) -> None:
    """Damage is called damage, whether it hits a name, a value or a bracket."""
    path = write_feature_set(tmp_path, SET)
    written = path.read_bytes()
    for place in range(written.index(b'"request"'), written.index(b'"index_digest"')):
        for bit in range(8):
            damaged = bytearray(written)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            with pytest.raises(CorruptStoreError, match="not a feature set"):
                read_feature_set(tmp_path, **PAIR, request=REQUEST)


def test_a_feature_set_without_a_digest_of_its_request_is_read(tmp_path: Path) -> None:
    """Caches of before it was written stay good."""
    path = write_feature_set(tmp_path, SET)
    fields = json.loads(path.read_text())
    del fields["request_digest"]
    path.write_text(json.dumps(fields))
    assert read_feature_set(tmp_path, **PAIR, request=REQUEST) == SET


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    """A file cut short is an error, not a crash."""
    write_feature_set(tmp_path, SET).write_text(text)
    with pytest.raises(CorruptStoreError):
        read_feature_set(tmp_path, **PAIR, request=REQUEST)


@pytest.mark.parametrize("path", ["/abs", "../up", "a/../../b", "C:/x", "a\\b"])
def test_references_never_leave_the_home(path: str) -> None:
    """Absolute and escaping paths are refused when a reference is made."""
    with pytest.raises(StoreError, match="outside its home"):
        StoreRef(path=path, key_digest="0")


def test_a_moved_home_keeps_working(tmp_path: Path, maker: Any) -> None:
    """Sets and stores refer to each other below the home only, so the home may move."""
    home = tmp_path / "old home"
    made = maker.fill(home / "v1/d/real/image/m-1")
    ref = StoreRef(path="v1/d/real/image/m-1", key_digest=open_store(made).manifest.key_digest)
    write_feature_set(home, replace(SET, image=ref))
    before = open_store(made).read("features")
    shutil.move(home, tmp_path / "new home")
    found = read_feature_set(tmp_path / "new home", **PAIR, request=REQUEST)
    opened = open_member(tmp_path / "new home", found.image)
    assert np.array_equal(opened.read("features"), before, equal_nan=True)
    assert "old home" not in feature_set_path(tmp_path / "new home", **PAIR).read_text()


def test_another_store_in_the_place_of_a_member_is_refused(tmp_path: Path, maker: Any) -> None:
    """A reference means one key, not whatever lies at its path."""
    maker.fill(tmp_path / "s")
    with pytest.raises(StaleStoreError, match="key_digest"):
        open_member(tmp_path, StoreRef(path="s", key_digest="0" * 64))


def test_a_failed_write_keeps_the_previous_set(tmp_path: Path, failing_os: Any) -> None:
    """On a full disk the pair's previous file stays and no temporary is left."""

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = write_feature_set(tmp_path, SET)
    with failing_os(2, full), pytest.raises(StoreWriteError, match="Free space"):
        write_feature_set(tmp_path, replace(SET, request={}))
    assert read_feature_set(tmp_path, **PAIR, request=REQUEST) == SET
    assert list(path.parent.iterdir()) == [path]
