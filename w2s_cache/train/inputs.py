"""What every run of a domain reads, loaded from the feature store once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.index import Index
from w2s_cache.store.index_agreement import open_member_of, read_index_of
from w2s_cache.store.reader import Store
from w2s_cache.store.remake import naming_import
from w2s_cache.train.digests import input_digests
from w2s_cache.train.finite import finite_rows
from w2s_cache.train.memory import shown_bytes, training_bytes
from w2s_cache.train.source import Rows, in_memory, stored_rows


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class DomainInputs:
    """Cached tensors of one domain, row i of each belonging to row i of the index.

    Attributes:
        index: Paths, labels, official split.
        features: (n, d) float32, unnormalised strong features; a tensor, unless they are read
            from disk when asked for.
        weak_logits: (n, k) float32, likewise.
        valid: (n,) bool, False for images that were skipped; their rows are NaN.
        text: (k, d) float32 unit rows, template ensemble or anchors; None without a text tower.
        logit_scale: The strong model's factor on cosines; None without a text tower.
        text_identity: What the text store's key says of its encoder; empty without a text tower.
        digests: Digests of request, index and keys of all stores read, of the anchors, and of
            which rows were skipped, where some were.
    """

    index: Index
    features: Rows
    weak_logits: Rows
    valid: np.ndarray
    text: Tensor | None
    logit_scale: float | None
    text_identity: dict[str, Any]
    digests: dict[str, Any]

    def __repr__(self) -> str:
        """Shapes in place of numbers."""
        tensors = {"features": self.features, "weak_logits": self.weak_logits, "text": self.text}
        shapes = [f"{k}={None if t is None else tuple(t.shape)}" for k, t in tensors.items()]
        valid = f"valid={int(self.valid.sum()):,} of {len(self.valid):,}"
        return f"DomainInputs({self.index!r}, {', '.join(shapes)}, {valid})"


def load_inputs(
    home: Path,
    found: FeatureSet,
    *,
    memory: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> DomainInputs:
    """Reads, or only verifies, everything a feature set names.

    Args:
        home: Cache home.
        found: The feature set.
        memory: Bytes that training may take for features and logits; a domain that needs more is
            read from disk while it is trained on. None for no limit.
        say: Told when that is so.

    Raises:
        StaleStoreError: The index changed after the features were extracted, or a store is of
            other images or classes.
        StoreError: A store is absent or incomplete.
        CorruptStoreError: Bytes on disk are not those that were written, or not finite numbers; of
            what stays on disk the numbers are looked at when they are asked for.
    """
    with naming_import(home, found):
        return _inputs(home, found, memory, say)


def _inputs(
    home: Path, found: FeatureSet, memory: int | None, say: Callable[[str], None]
) -> DomainInputs:
    index = read_index_of(home, found)
    image = open_member_of(index, home, found.image)
    logits = open_member_of(index, home, found.logits)
    text, scale, identity = _text(home, found, index)
    need = training_bytes(image, logits, tested=int((~index.is_train).sum()))
    source: Callable[[Store, str], tuple[Rows, np.ndarray]] = in_memory
    if memory is not None and need > memory:
        source = stored_rows
        say(
            f"{found.domain}: training would take {shown_bytes(need)}, more than the "
            f"{shown_bytes(memory)} of --memory; its features are read from disk, which is slower"
        )
    features, with_features = source(image, "features")
    weak_logits, with_logits = source(logits, "logits")
    valid = with_features & with_logits
    return DomainInputs(
        index=index,
        features=finite_rows(features, valid, what=f"features of {found.domain}"),
        weak_logits=finite_rows(weak_logits, valid, what=f"weak logits of {found.domain}"),
        valid=valid,
        text=text,
        logit_scale=scale,
        text_identity=identity,
        digests=input_digests(found, np.flatnonzero(~valid).tolist()),
    )


def _text(
    home: Path, found: FeatureSet, index: Index
) -> tuple[Tensor | None, float | None, dict[str, Any]]:
    """Template ensemble: normalise each, mean over templates, normalise again."""
    if found.text is None:
        return None, None, {}
    store = open_member_of(index, home, found.text)
    features = torch.from_numpy(store.read("features"))
    ensemble = functional.normalize(functional.normalize(features, dim=-1).mean(dim=1), dim=-1)
    manifest = store.manifest
    identity = dict(manifest.key.get("encoder", {}))
    facts = {**manifest.attributes, **manifest.key}  # where both say it, the key is vouched for
    return ensemble, float(facts["logit_scale"]), identity
