"""What every run of a domain reads, loaded from the feature store once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import CorruptStoreError, StaleStoreError
from w2s_cache.store.feature_set import FeatureSet, open_member
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.index import Index, read_index
from w2s_cache.store.layout import index_path
from w2s_cache.store.reader import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainInputs:
    """Cached tensors of one domain, row i of each belonging to row i of the index.

    Attributes:
        index: Paths, labels, official split.
        features: (n, d) float32, unnormalised strong features.
        weak_logits: (n, k) float32.
        valid: (n,) bool, False for images that were skipped; their rows are NaN.
        text: (k, d) float32 unit rows, template ensemble or anchors; None without a text tower.
        logit_scale: The strong model's factor on cosines; None without a text tower.
        text_identity: What the text store's key says of its encoder; empty without a text tower.
        digests: Digests of request, index and keys of all stores read, of the anchors, and of
            which rows were skipped, where some were.
    """

    index: Index
    features: Tensor
    weak_logits: Tensor
    valid: np.ndarray
    text: Tensor | None
    logit_scale: float | None
    text_identity: dict[str, Any]
    digests: dict[str, Any]


def load_inputs(home: Path, found: FeatureSet) -> DomainInputs:
    """Reads and verifies everything a feature set names.

    Raises:
        StaleStoreError: The index changed after the features were extracted.
        StoreError: A store is absent or incomplete.
        CorruptStoreError: Bytes on disk are not those that were written.
    """
    index = read_index(index_path(home, found.dataset, found.domain))
    if index.digest != found.index_digest:
        raise StaleStoreError(
            f"the index of {found.dataset}/{found.domain} changed after its features were made",
            expected=f"index digest {found.index_digest[:12]}",
            found=index.digest[:12],
            fix=f"Run `w2s-cache extract --domain {quote(found.domain)}` again.",
        )
    image = open_member(home, found.image)
    logits = open_member(home, found.logits)
    text, scale, identity = _text(home, found)
    valid = image.valid() & logits.valid()
    return DomainInputs(
        index=index,
        features=torch.from_numpy(image.read("features")),
        weak_logits=torch.from_numpy(logits.read("logits")),
        valid=valid,
        text=text,
        logit_scale=scale,
        text_identity=identity,
        digests={
            "request_digest": digest(found.request),
            "index_digest": found.index_digest,
            "image_key": found.image.key_digest,
            "logits_key": found.logits.key_digest,
            "text_key": found.text.key_digest if found.text else None,
            **skipped_digest(valid),
        },
    )


def skipped_digest(valid: np.ndarray) -> dict[str, str]:
    """``skipped_key``, the digest of the rows left out; nothing where none is.

    The keys of stores do not say which images could be used: retried, the same store holds more.
    """
    rows = np.flatnonzero(~valid).tolist()
    return {"skipped_key": digest({"rows": rows})} if rows else {}


def _text(home: Path, found: FeatureSet) -> tuple[Tensor | None, float | None, dict[str, Any]]:
    """Template ensemble: normalise each, mean over templates, normalise again."""
    if found.text is None:
        return None, None, {}
    store = open_member(home, found.text)
    features = torch.from_numpy(store.read("features"))
    ensemble = functional.normalize(functional.normalize(features, dim=-1).mean(dim=1), dim=-1)
    manifest = store.manifest
    identity = dict(manifest.key.get("encoder", {}))
    _refuse_changed(store, ("logit_scale", "logit_bias"))
    return ensemble, float(manifest.attributes["logit_scale"]), identity


def _refuse_changed(store: Store, names: Sequence[str]) -> None:
    """An attribute that the key vouches for must be what the key says."""
    key, attributes = store.manifest.key, store.manifest.attributes
    for name in names:
        if name in key and attributes.get(name) != key[name]:
            raise CorruptStoreError(
                f"{store.directory} was changed after it was written",
                expected=f"{name} {key[name]}, as in its key",
                found=f"{attributes.get(name)}",
                fix=f"Delete {store.directory} and run `w2s-cache extract` again.",
            )
