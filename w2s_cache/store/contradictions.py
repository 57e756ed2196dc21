"""Attributes of a store against its key."""

from __future__ import annotations

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.fingerprint import Difference
from w2s_cache.store.layout import Manifest
from w2s_cache.store.reader import Store


def contradictions(manifest: Manifest) -> list[Difference]:
    """Attributes that say otherwise than the key; no digest covers them, but the key's does it."""
    key, attributes = manifest.key, manifest.attributes
    return [
        Difference(field=name, stored=attributes[name], wanted=key[name])
        for name in sorted(attributes.keys() & key.keys())
        if attributes[name] != key[name]
    ]


def refuse_contradictions(store: Store) -> None:
    """Refuse a store whose attributes were changed after it was written.

    Raises:
        CorruptStoreError: an attribute contradicts the key.
    """
    for found in contradictions(store.manifest):
        raise CorruptStoreError(
            f"{store.directory} was changed after it was written",
            expected=f"{found.field} {found.wanted}, as in its key",
            found=f"{found.stored}",
            fix="Run `w2s-cache extract` again: it puts that right.",
        )
