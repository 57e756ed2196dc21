"""Stores are joined by the images and classes in their keys, never by the number of rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.errors import StaleStoreError
from w2s_cache.store.feature_set import StoreRef
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.index import Index
from w2s_cache.store.index_agreement import open_member_of

INDEX = Index(
    dataset="toy",
    domain="art",
    classes=("a", "b"),
    paths=tuple(f"{row:02}.png" for row in range(20)),
    labels=np.arange(20) % 2,
    is_train=np.arange(20) < 10,
    sizes=np.full(20, 7),
    sha256=tuple(f"{row:064x}" for row in range(20)),
)


def opened(maker: Any, home: Path, key: Mapping[str, object], index: Index) -> object:
    """A store of a key, opened for an index."""
    maker.fill(home / "store", key=key)
    return open_member_of(index, home, StoreRef(path="store", key_digest=digest(key)))


@pytest.mark.parametrize("key", [{}, {"images": INDEX.images_digest, "classes": ["a", "b"]}])
def test_a_store_of_the_index_or_of_no_stated_images_is_opened(
    maker: Any, tmp_path: Path, key: dict[str, object]
) -> None:
    """Equal images and classes fit whatever the domain is called; what no key says is not asked."""
    assert opened(maker, tmp_path, key, INDEX)
    assert opened(maker, tmp_path, key, replace(INDEX, domain="photo"))


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ({"images": "0" * 64}, "images"),
        ({"images": INDEX.images_digest, "classes": ["b", "a"]}, "classes"),
    ],
)
def test_a_store_of_other_images_or_classes_is_refused(
    maker: Any, tmp_path: Path, key: dict[str, object], named: str
) -> None:
    """As many rows and classes, yet others: the field is named."""
    with pytest.raises(StaleStoreError, match=f"other images or classes.*{named}"):
        opened(maker, tmp_path, key, INDEX)
