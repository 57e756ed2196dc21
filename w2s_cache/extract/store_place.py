"""Where a part of a feature set is kept, by its request and its key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from w2s_cache.extract.request import ExtractRequest
from w2s_cache.store.feature_set import StoreRef
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.index import Index
from w2s_cache.store.layout import store_path


def place_of(request: ExtractRequest, index: Index, name: str, key: Mapping[str, Any]) -> Path:
    """The directory of the store of a key, which says its kind; ``name`` is the model's."""
    kind = str(key["kind"])
    return store_path(
        request.home,
        dataset=index.dataset,
        domain=None if kind == "text" else index.domain,
        kind=kind,
        name=name,
        key_digest=digest(key),
    )


def ref_to(directory: Path, home: Path, key: Mapping[str, Any]) -> StoreRef:
    """What a feature set says of a store."""
    return StoreRef(path=directory.relative_to(home).as_posix(), key_digest=digest(key))
