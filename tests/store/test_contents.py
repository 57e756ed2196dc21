"""Laws of walking a cache home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.store.contents import (
    cached_domains,
    cached_indexes,
    cached_pairs,
    choices_there,
    list_stores,
)
from w2s_cache.store.feature_set import FeatureSet, StoreRef, write_feature_set
from w2s_cache.store.index import Index, write_index
from w2s_cache.store.layout import index_path

REF = StoreRef(path="v1/mine/x/image/m-0", key_digest="0" * 64)


def add_set(
    home: Path, domain: str, dataset: str = "mine", pair: tuple[str, str] = ("s", "w")
) -> Path:
    """Write a feature set of a domain."""
    found = FeatureSet(
        dataset=dataset,
        domain=domain,
        strong=pair[0],
        weak=pair[1],
        request={},
        index_digest="1" * 64,
        image=REF,
        logits=REF,
        text=None,
        created="",
    )
    return write_feature_set(home, found)


def test_an_empty_home_holds_nothing(tmp_path: Path) -> None:
    """A home that was never used is no error."""
    assert list(list_stores(tmp_path / "absent")) == []
    assert cached_domains(tmp_path / "absent", "mine", strong="s", weak="w") == ()


def test_every_store_is_listed_by_path_with_its_size(tmp_path: Path, maker: Any) -> None:
    """Stores of domains and of text are found, sorted, each with the bytes of its shards."""
    for place in ("mine/text/m-2", "mine/d/image/m-1", "mine/d/logits/w-1"):
        maker.fill(tmp_path / "v1" / place)
    entries = list(list_stores(tmp_path))
    assert [entry.path for entry in entries] == [
        "v1/mine/d/image/m-1",
        "v1/mine/d/logits/w-1",
        "v1/mine/text/m-2",
    ]
    for entry in entries:
        files = (tmp_path / entry.path).glob("part-*")
        assert entry.bytes == sum(file.stat().st_size for file in files) > 0
        assert entry.problem == ""


@pytest.mark.parametrize("text", ["", "{}", "[]"])
def test_a_broken_store_is_an_entry_with_a_problem(tmp_path: Path, maker: Any, text: str) -> None:
    """One damaged manifest hides neither itself nor the others."""
    maker.fill(tmp_path / "v1/mine/d/image/a-1")
    maker.fill(tmp_path / "v1/mine/d/image/b-1")
    (tmp_path / "v1/mine/d/image/a-1/manifest.json").write_text(text)
    broken, whole = list_stores(tmp_path)
    assert (broken.manifest, broken.bytes) == (None, 0)
    assert "manifest" in broken.problem
    assert whole.manifest is not None


def test_domains_with_features_are_named_as_the_data_set_names_them(tmp_path: Path) -> None:
    """Names that no file system takes come back whole; other data sets and bare folders do not."""
    for domain in ("sketch", "Real World", "art/modern"):
        add_set(tmp_path, domain)
    add_set(tmp_path, "sketch", dataset="theirs")
    (tmp_path / "v1/mine/index-only").mkdir()
    (tmp_path / "v1/mine/empty/sets").mkdir(parents=True)
    assert cached_domains(tmp_path, "mine", strong="s", weak="w") == (
        "Real World",
        "art/modern",
        "sketch",
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", "3"])
def test_a_broken_feature_set_counts_by_its_folder(tmp_path: Path, text: str) -> None:
    """Whoever then reads the set hears what is wrong; it is not passed over."""
    add_set(tmp_path, "sketch").write_text(text)
    assert cached_domains(tmp_path, "mine", strong="s", weak="w") == ("sketch",)


def test_every_index_of_a_data_set_is_found(tmp_path: Path) -> None:
    """Domains that were extracted with any models count; other data sets do not."""
    for dataset, domain in (("mine", "b"), ("mine", "Art & Co"), ("theirs", "c")):
        index = Index(
            dataset=dataset,
            domain=domain,
            classes=("x",),
            paths=("x/1.png",),
            labels=np.array([0]),
            is_train=np.array([True]),
            sizes=np.array([1]),
            sha256=("0" * 64,),
        )
        write_index(index_path(tmp_path, dataset, domain), index)
    assert [index.domain for index in cached_indexes(tmp_path, "mine")] == ["Art & Co", "b"]
    assert list(cached_indexes(tmp_path / "absent", "mine")) == []


def test_pairs_are_listed_once_for_all_domains(tmp_path: Path) -> None:
    """A pair is what its file says; a file that says nothing is no pair."""
    clip = ("ViT-B-32:openai", "net")
    for domain, pair in (("d", clip), ("e", clip), ("e", ("a", "b"))):
        add_set(tmp_path, domain, pair=pair)
    (tmp_path / "v1/mine/d/sets/x__y.json").write_text("{")
    assert cached_pairs(tmp_path, "mine") == (clip, ("a", "b"))
    assert cached_pairs(tmp_path, "mine", domain="d") == (clip,)
    assert cached_pairs(tmp_path, "mine", domain="none") == cached_pairs(tmp_path, "other") == ()


def test_the_nearest_pairs_that_are_there_are_offered() -> None:
    """First those of the same strong model, then of the same weak one; what differs is said."""
    pairs = [("a", "x"), ("a", "y"), ("s", "x"), ("s", "y"), ("z", "w")]
    assert choices_there(pairs, strong="s", weak="w") == [
        {"weak": "x"},
        {"weak": "y"},
        {"strong": "z"},
    ]
    assert choices_there(pairs[:1], strong="s", weak="w") == [{"strong": "a", "weak": "x"}]
    assert choices_there([], strong="s", weak="w") == []
