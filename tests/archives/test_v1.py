"""Law: a store of format 1 is read to the same numbers for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.store.check import check_store
from w2s_cache.store.feature_set import open_member, read_feature_set
from w2s_cache.store.index import read_index
from w2s_cache.store.layout import index_path
from w2s_cache.train.inputs import load_inputs

ARCHIVE = Path(__file__).with_name("v1")
HOME = ARCHIVE / "home"
FEATURE_SET = HOME / "v1" / "tiny" / "d" / "sets" / "means__theirs.json"


@pytest.fixture(scope="module")
def numbers() -> dict[str, Any]:
    """What was computed from the images without a store."""
    return json.loads((ARCHIVE / "numbers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found() -> Any:
    """The archived feature set, asked for by the request that made it."""
    request = json.loads(FEATURE_SET.read_text(encoding="utf-8"))["request"]
    names = {"dataset": "tiny", "domain": "d", "strong": "means", "weak": "theirs"}
    return read_feature_set(HOME, **names, request=request)


def test_every_array_holds_the_archived_numbers(numbers: dict[str, Any], found: Any) -> None:
    """Features, logits and text are, in float32, those of the images."""
    for ref, array, name in (
        (found.image, "features", "features"),
        (found.logits, "logits", "logits"),
    ):
        wanted = np.array(numbers[name], dtype=np.float32)
        assert np.array_equal(open_member(HOME, ref).read(array), wanted)
    text = open_member(HOME, found.text).read("features")
    assert np.array_equal(text[:, 0], np.array(numbers["text"], dtype=np.float32))


def test_the_index_names_the_archived_rows(numbers: dict[str, Any]) -> None:
    """Row i is the i-th path, with its class; every class has both halves."""
    index = read_index(index_path(HOME, "tiny", "d"))
    assert list(index.paths) == numbers["paths"]
    assert list(index.classes) == numbers["classes"]
    assert index.labels.tolist() == numbers["labels"]
    assert index.digest == "3dd2341e5f320fd6a645697640edc6d3c0c202972b18784d7e06a47509561dd5"
    assert np.bincount(index.labels[index.is_train]).tolist() == [2, 2, 2]


def test_training_reads_the_archive(numbers: dict[str, Any], found: Any) -> None:
    """Everything a run needs comes out of it, features raw and text as unit rows."""
    inputs = load_inputs(HOME, found)
    assert inputs.features.tolist() == np.array(numbers["features"], dtype=np.float32).tolist()
    assert inputs.valid.all()
    assert inputs.logit_scale == numbers["logit_scale"]
    text = np.array(numbers["text"])
    unit = text / np.linalg.norm(text, axis=1, keepdims=True)
    assert inputs.text is not None
    assert np.allclose(inputs.text.numpy(), unit, atol=1e-6)


def test_nothing_is_wrong_with_the_archive() -> None:
    """The checker of today finds nothing in the stores of then."""
    stores = [path.parent for path in HOME.rglob("manifest.json")]
    assert len(stores) == 3
    assert [str(violation) for store in stores for violation in check_store(store)] == []


def test_the_archive_has_several_shards_and_no_leftovers() -> None:
    """It is worth reading: shards of four rows and one of three, and nothing else."""
    names = sorted(path.name for path in HOME.rglob("*") if path.is_file())
    assert names.count("part-00003.h5") == 2
    assert {Path(name).suffix for name in names} == {".h5", ".json", ".parquet"}
    assert sum(path.stat().st_size for path in HOME.rglob("*")) < 200_000
