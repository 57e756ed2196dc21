"""Why something is computed anew: the fields that differ, what was cached and what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from w2s_cache.errors import StaleStoreError
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.fingerprint import Difference, diff_keys, stale_error
from w2s_cache.store.index import Index
from w2s_cache.store.reader import read_manifest

_DIGITS = 12  # of a digest, enough to tell two apart


def told(error: StaleStoreError) -> str:
    """A stale error as one line: what, the cached values and the ones asked for."""
    return f"{error.what}: cached {error.found}; asked for {error.expected}"


def index_changes(domain: str, stored: Index | None, found: Index, *, made_from: str) -> str:
    """What the images, classes, labels or split of a domain have become since its features.

    Args:
        domain: The domain's name.
        stored: The index in the cache; None where there is none.
        found: The index of what is on disk now.
        made_from: Digest of the index that the features were made from.

    Returns:
        One line that names the first fields that differ with both values; the digests alone where
        the index of the features is gone.
    """
    if stored is None or stored.digest != made_from:
        names = [Difference(field="index digest", stored=made_from, wanted=found.digest)]
    else:
        names = diff_keys(_facts(stored), _facts(found))
    return told(stale_error(f"the data of {domain} are others now", names, fix="—"))


def key_changes(home: Path, before: FeatureSet, now: FeatureSet) -> Iterator[str]:
    """Yields one line for every part whose store has another key than before.

    Raises:
        StoreError: A store of ``before`` or ``now`` is gone.
    """
    for part in ("image", "logits", "text"):
        old, new = getattr(before, part), getattr(now, part)
        if old and new and old.key_digest != new.key_digest:
            keys = [read_manifest(home / ref.path).key for ref in (old, new)]
            what = f"{now.domain}: {part} features" if part != "logits" else f"{now.domain}: logits"
            yield told(stale_error(f"{what} of another key", diff_keys(*keys), fix="—"))


def _facts(index: Index) -> dict[str, object]:
    """An index as a key, so that two can be compared field by field."""
    rows = zip(index.paths, index.sha256, index.labels, index.is_train, strict=True)
    images = {
        path: {
            "sha256": sha[:_DIGITS],
            "class": index.classes[label],
            "split": "train" if train else "test",
        }
        for path, sha, label, train in rows
    }
    return {"classes": list(index.classes), "images": images}
