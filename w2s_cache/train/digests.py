"""The digests that say what a run was made from: ``inputs`` of its record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.fingerprint import digest

REQUEST: Final = "request_digest"
SKIPPED: Final = "skipped_key"
ANCHORS: Final = "anchors_key"


def input_digests(found: FeatureSet, skipped: Sequence[int]) -> dict[str, Any]:
    """Digests of request, index and keys of all stores that a feature set names.

    Args:
        found: The feature set.
        skipped: The rows that its features or logits lack, ascending.
    """
    return {
        REQUEST: digest(found.request),
        "index_digest": found.index_digest,
        "image_key": found.image.key_digest,
        "logits_key": found.logits.key_digest,
        "text_key": found.text.key_digest if found.text else None,
        **skipped_digest(skipped),
    }


def skipped_digest(rows: Sequence[int]) -> dict[str, str]:
    """``skipped_key``, the digest of the rows left out, ascending; nothing where none is.

    The keys of stores do not say which images could be used: retried, the same store holds more.
    """
    return {SKIPPED: digest({"rows": list(rows)})} if rows else {}


def anchors_digest(sources: Iterable[tuple[FeatureSet, Sequence[int]]]) -> dict[str, str]:
    """``anchors_key``, which tells the features of other domains that stand in for text.

    Args:
        sources: The feature sets of the other domains, each with the rows that its features lack.
    """
    keys: Mapping[str, Any] = {
        found.domain: {
            "index": found.index_digest,
            "image": found.image.key_digest,
            **skipped_digest(rows),
        }
        for found, rows in sources
    }
    return {ANCHORS: digest({"other-domains": keys})}
