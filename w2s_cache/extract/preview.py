"""What extraction would find of a domain, without decoding an image or writing a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from w2s_cache.errors import StaleStoreError, StoreError
from w2s_cache.extract.domain import imported_key
from w2s_cache.extract.request import ExtractRequest, listing_of, stored_set
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.index import Index, read_index
from w2s_cache.store.layout import index_path


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """One domain: how many images where that is known, and what the cache has of the pair."""

    domain: str
    rows: int | None
    state: str


def preview_domain(request: ExtractRequest, domain: str, *, listed: bool) -> Preview:
    """Compares a domain with the cache by the names of its images, not by their contents.

    Args:
        request: What would be extracted.
        domain: The domain's name.
        listed: Whether the root is to be looked at; without it only the cache is.

    Raises:
        W2SError: The root does not hold the domain as the spec says.
    """
    paths: tuple[str, ...] | None = None
    if listed:
        paths = tuple(entry.path for entry in listing_of(request, domain).entries)
    try:
        index = read_index(index_path(request.home, request.spec.name, domain))
        found = stored_set(request, domain)
    except StaleStoreError as error:
        return _preview(domain, paths, f"cached with other settings ({error.found})")
    except StoreError:
        return _preview(domain, paths, "not cached")
    return _preview(domain, paths or index.paths, _state(found, index, paths, request.weak_logits))


def _state(
    found: FeatureSet, index: Index, paths: tuple[str, ...] | None, imported: Path | None
) -> str:
    if found.index_digest != index.digest or paths not in (None, index.paths):
        return "cached of other images"
    if imported and digest(imported_key(imported, index)) != found.logits.key_digest:
        return "cached with other imported logits"
    return "cached"


def _preview(domain: str, paths: tuple[str, ...] | None, state: str) -> Preview:
    return Preview(domain=domain, rows=None if paths is None else len(paths), state=state)
