"""One domain's imported features into the cache, with what training reads beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from w2s_cache.data.images import IndexedFile
from w2s_cache.encoders.protocol import TextEncoder
from w2s_cache.errors import StoreError
from w2s_cache.extract.domain import domain_index, imported_key, publish_index
from w2s_cache.extract.other_domains import rows_elsewhere
from w2s_cache.extract.parts import imported_part, text_part, weak_part
from w2s_cache.extract.progress import Progress
from w2s_cache.extract.request import listing_of
from w2s_cache.interchange.import_request import ImportRequest
from w2s_cache.interchange.imported_stores import (
    ImportedImages,
    imported_text,
    store_images,
    store_text,
)
from w2s_cache.interchange.text_source import TextSource
from w2s_cache.request import feature_request
from w2s_cache.store.feature_set import (
    FeatureSet,
    StoreRef,
    read_feature_set,
    write_feature_set,
)
from w2s_cache.store.index import Index


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What became of one domain: rows, rows written now by part, whether it has class text."""

    domain: str
    rows: int
    written: dict[str, int]
    has_text: bool


def import_domain(
    request: ImportRequest,
    domain: str,
    *,
    encoder: Callable[[], TextEncoder | None],
    progress: Progress,
) -> Imported:
    """Checks everything, then writes image store, class text, weak logits and feature set.

    Args:
        request: What and with what.
        domain: The domain's name.
        encoder: The declared model's text tower; asked only when it is to make class text.
        progress: Where to report.

    Raises:
        ImportedFeaturesError: The source is not what is declared, or not of this domain's images.
            Nothing of it was written.
        W2SError: The data set, the weak model or the disk is not what it should be.
    """
    asked = request.extract
    listing = listing_of(asked, domain)
    index, files, _ = domain_index(asked, listing, progress)
    images = ImportedImages.read(request, index, elsewhere=rows_elsewhere(asked, domain))
    text = _text(request, index, images.source.width, encoder)
    stored: tuple[StoreRef, int] | None = None  # the cheapest first: its faults show at once
    if isinstance(text, TextSource):
        stored = store_text(request, index, text, progress)
    elif text is not None:
        stored = text_part(asked, index, text, progress)
    logits, logit_rows = _weak(request, index, files, progress)
    image, image_rows = store_images(request, index, images, progress)
    written = {"features": image_rows, "logits": logit_rows} | (
        {"text": stored[1]} if stored else {}
    )
    publish_index(asked, index)
    found = FeatureSet(
        dataset=asked.spec.name,
        domain=domain,
        strong=asked.strong_name,
        weak=asked.weak_name,
        request=feature_request(asked.spec, strong=asked.strong, weak=asked.weak),
        index_digest=index.digest,
        image=image,
        logits=logits,
        text=stored[0] if stored else None,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if _replaces(found, asked.home):
        progress.say(f"{domain}: earlier features of {asked.strong_name} replaced")
    write_feature_set(asked.home, found)
    return Imported(domain=domain, rows=len(index), written=written, has_text=stored is not None)


def _replaces(found: FeatureSet, home: Path) -> bool:
    """Whether the pair has other features until now."""
    names = {n: getattr(found, n) for n in ("dataset", "domain", "strong", "weak", "request")}
    try:
        return read_feature_set(home, **names).image != found.image
    except StoreError:
        return False


def _text(
    request: ImportRequest,
    index: Index,
    width: int,
    encoder: Callable[[], TextEncoder | None],
) -> TextSource | TextEncoder | None:
    if request.text is not None:
        return imported_text(request, index, width)
    if not request.text_by_model:
        return None
    from w2s_cache.interchange.text_tower import fitting_tower

    return fitting_tower(encoder(), width, str(request.declared.model))


def _weak(
    request: ImportRequest, index: Index, files: Sequence[IndexedFile], progress: Progress
) -> tuple[StoreRef, int]:
    """The weak logits, as an extraction makes or finds them."""
    asked = request.extract
    if asked.weak_logits is not None:
        return imported_part(asked, index, imported_key(asked.weak_logits, index), progress)
    return weak_part(asked, index, files, progress)
