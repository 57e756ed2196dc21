"""Names inside a feature pack, one HDF5 file that holds a whole feature set of one domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import h5py
import numpy as np
import xxhash

from w2s_cache.store.feature_set import FeatureSet, StoreRef
from w2s_cache.store.index import Index
from w2s_cache.store.layout import slug

SCHEMA: Final = "w2s-cache/feature-pack/1"
SUFFIX: Final = ".h5"
FILES: Final = "files"
INDEX: Final = "index"
DIGESTS: Final = "digests"
FEATURE_SET: Final = "feature_set.json"
INDEX_FILE: Final = "index.parquet"


def pack_name(found: FeatureSet) -> str:
    """The file name of a pack: ``<dataset>__<domain>__<strong>__<weak>.h5``, each as its slug."""
    names = (found.dataset, found.domain, found.strong, found.weak)
    return "__".join(map(slug, names)) + SUFFIX


def root_attributes(found: FeatureSet, rows: int) -> dict[str, str | int]:
    """The root attributes of a pack."""
    names = {name: getattr(found, name) for name in ("dataset", "domain", "strong", "weak")}
    return {"schema": SCHEMA, **names, "rows": rows, "index_digest": found.index_digest}


def members(found: FeatureSet) -> dict[str, StoreRef]:
    """The stores of a feature set by kind."""
    refs = {"image": found.image, "logits": found.logits, "text": found.text}
    return {kind: ref for kind, ref in refs.items() if ref is not None}


def index_columns(index: Index) -> dict[str, np.ndarray]:
    """The columns of an index as a pack holds them: (N,) each, and ``classes`` (C,).

    Strings are fixed-length UTF-8, padded with NUL.
    """
    return {
        "path": fixed_strings(index.paths),
        "label": index.labels.astype("<i8"),
        "split": fixed_strings(["train" if train else "test" for train in index.is_train]),
        "bytes": index.sizes.astype("<i8"),
        "sha256": fixed_strings(index.sha256),
        "classes": fixed_strings(index.classes),
    }


def index_from_columns(columns: Mapping[str, np.ndarray], *, dataset: str, domain: str) -> Index:
    """The inverse of `index_columns`.

    Raises:
        StoreError: The columns contradict one another.
        UnicodeDecodeError: A string is not UTF-8.
    """
    return Index(
        dataset=dataset,
        domain=domain,
        classes=_texts(columns["classes"]),
        paths=_texts(columns["path"]),
        labels=columns["label"],
        is_train=columns["split"] == b"train",
        sizes=columns["bytes"],
        sha256=_texts(columns["sha256"]),
    )


def fixed_strings(texts: tuple[str, ...] | list[str]) -> np.ndarray:
    """(N,) fixed-length UTF-8 of HDF5, as long as the longest text."""
    encoded = [text.encode() for text in texts]
    length = max(1, *map(len, encoded)) if encoded else 1
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", length))


def array_digest(values: np.ndarray) -> str:
    """XXH3-128 over the bytes of an array in row order, little-endian, 32 hexadecimal digits."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return xxhash.xxh3_128_hexdigest(little.reshape(-1).view(np.uint8).data)


def _texts(column: np.ndarray) -> tuple[str, ...]:
    return tuple(value.decode() for value in column.tolist())
