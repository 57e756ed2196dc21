"""One domain into the cache: index, strong features, text features, weak logits, feature set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.data.images import IndexedFile
from w2s_cache.data.index_build import build_index, indexed_file
from w2s_cache.data.listing import Listing
from w2s_cache.errors import (
    BrokenManifestError,
    CorruptStoreError,
    NewerStoreError,
    StaleStoreError,
    StoreError,
)
from w2s_cache.extract.changes import index_changes, key_changes, told
from w2s_cache.extract.progress import Progress
from w2s_cache.extract.request import Extracted, ExtractRequest, listing_of, stored_set
from w2s_cache.extract.skipped import emptied_classes, skipped_images
from w2s_cache.request import feature_request
from w2s_cache.store.feature_set import (
    FeatureSet,
    open_member,
    write_feature_set,
)
from w2s_cache.store.fingerprint import digest, file_sha256
from w2s_cache.store.index import Index, read_index, write_index
from w2s_cache.store.index_agreement import refuse_other_images
from w2s_cache.store.layout import index_path

if TYPE_CHECKING:  # torch and the encoder libraries are imported only when something is missing
    from w2s_cache.encoders.protocol import StrongEncoder


def extract_domain(
    request: ExtractRequest,
    domain: str,
    *,
    strong: Callable[[str], StrongEncoder],
    progress: Progress,
) -> Extracted:
    """Brings one domain up to date; computes only what is missing.

    Args:
        request: What and with what.
        domain: The domain's name.
        strong: Device → strong encoder; called only when something is missing.
        progress: Where to report.

    Raises:
        W2SError: The data set, an image, a model or the disk is not what it should be.
    """
    listing = domain_listing(request, domain, progress)
    index, files, published = domain_index(request, listing, progress)
    imported = None if request.weak_logits is None else imported_key(request.weak_logits, index)
    known = _known(request, domain, index, progress)
    replaced = imported and known and known.logits.key_digest != digest(imported)
    if known and not replaced and not request.recheck:
        done = _extracted(request, index, known, {})
        if not (done.skipped and request.retry_skipped):
            if not published:
                publish_index(request, index)
            return _told(index, done, progress)
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.extract.parts import image_part, imported_part, text_part, weak_part

    request = replace(request, device=resolve_device(request.device))
    given = None if imported is None else imported_part(request, index, imported, progress)
    if replaced:
        progress.say(f"{domain}: imported logits of {request.weak_name} replaced")
    encoder = strong(request.device)  # after the imported file, whose faults show at once
    text = None
    if encoder.text is not None:  # the cheapest part, so its faults too
        text = text_part(request, index, encoder.text, progress)
    logits, logit_rows = given or weak_part(request, index, files, progress)
    image, image_rows = image_part(request, index, files, encoder, progress)
    computed = {"features": image_rows, "logits": logit_rows} | ({"text": text[1]} if text else {})
    found = FeatureSet(
        dataset=index.dataset,
        domain=domain,
        strong=request.strong_name,
        weak=request.weak_name,
        request=feature_request(request.spec, strong=request.strong, weak=request.weak),
        index_digest=index.digest,
        image=image,
        logits=logits,
        text=text[0] if text else None,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _say_changes(request, None if replaced else known, found, progress)
    publish_index(request, index)  # not before: the features of the old one are good until now
    write_feature_set(request.home, found)
    return _told(index, _extracted(request, index, found, computed), progress)


def _extracted(
    request: ExtractRequest, index: Index, found: FeatureSet, computed: dict[str, int]
) -> Extracted:
    skipped, file = skipped_images(request.home, found, index)
    return Extracted(
        domain=index.domain, rows=len(index), computed=computed, skipped=skipped, failures=file
    )


def _told(index: Index, done: Extracted, progress: Progress) -> Extracted:
    for note in emptied_classes(index, done.skipped):
        progress.say(f"{index.domain}: {note}")
    return done


def imported_key(file: Path, index: Index) -> dict[str, Any]:
    """All that changes imported logits in row order: the file's content, the rows, the classes."""
    return {
        "kind": "logits",
        "imported": file_sha256(file) if file.is_file() else str(file),
        "images": index.images_digest,
        "classes": list(index.classes),
    }


def domain_listing(request: ExtractRequest, domain: str, progress: Progress) -> Listing:
    """The domain's rows; their files may be absent where images may be skipped."""
    listing = listing_of(request, domain)
    for note in listing.notes:
        progress.say(f"{domain}: {note}")
    return listing


def domain_index(
    request: ExtractRequest, listing: Listing, progress: Progress
) -> tuple[Index, list[IndexedFile], bool]:
    """The domain's index, its files, and whether it is the one that the cache holds now.

    Files whose size and time have not changed are not read.

    Raises:
        DataError: A file is gone or cannot be read, and nothing is skipped.
    """
    path = index_path(request.home, listing.dataset, listing.domain)
    previous = _previous_index(path, progress.say)
    problems: dict[str, tuple[str, str]] = {}

    def unreadable(image: str, error: OSError) -> None:
        problems[image] = type(error).__name__, error.strerror or str(error)

    progress.begin(f"{listing.domain}: index", len(listing.entries))
    index = build_index(
        listing,
        request.root,
        previous=previous,
        stats_path=path.with_name("stats.parquet"),
        reread=request.recheck,
        progress=progress.advance,
        on_unreadable=unreadable if request.on_error == "skip" else None,
    )
    progress.end()
    files = [
        replace(indexed_file(index, row, request.root), problem=problems.get(name))
        for row, name in enumerate(index.paths)
    ]
    return index, files, previous is not None and previous.digest == index.digest


def _previous_index(path: Path, say: Callable[[str], None]) -> Index | None:
    """The index of an earlier extraction; a damaged one is made anew and that is said."""
    if not path.is_file():
        return None
    try:
        return read_index(path)
    except CorruptStoreError as error:
        say(f"{error.what} ({error.found}); making it anew")
        return None


def publish_index(request: ExtractRequest, index: Index) -> None:
    """Replaces the domain's index where it differs; features of the old one are stale from now.

    What is there is read now: others may have replaced it while features were computed.
    """
    path = index_path(request.home, index.dataset, index.domain)
    stored = _previous_index(path, lambda _: None)
    if stored is None or stored.digest != index.digest:
        write_index(path, index)


def _say_changes(
    request: ExtractRequest, before: FeatureSet | None, now: FeatureSet, progress: Progress
) -> None:
    """Names what a recheck found in the models themselves; the request was the same."""
    for change in key_changes(request.home, before, now) if before else ():
        progress.say(f"{change}; computed anew")


def _known(
    request: ExtractRequest, domain: str, index: Index, progress: Progress
) -> FeatureSet | None:
    """The pair's feature set if it is what is asked for and every byte it needs is sound.

    Raises:
        NewerStoreError: A newer version made one of its stores.
    """
    try:
        found = stored_set(request, domain)
        for ref in (found.image, found.logits, found.text):
            if ref is not None:
                store = open_member(request.home, ref)
                store.verify()
                if found.index_digest == index.digest:
                    refuse_other_images(store, index)
    except NewerStoreError:
        raise
    except BrokenManifestError:  # who begins its store anew says so
        return None
    except CorruptStoreError as error:
        progress.say(f"{domain}: {error.what} ({error.found}); computing it anew")
        return None
    except StaleStoreError as error:
        progress.say(f"{domain}: {told(error)}; computing what changed")
        return None
    except StoreError:
        return None
    if found.index_digest == index.digest:
        return found
    stored = _previous_index(index_path(request.home, index.dataset, domain), lambda _: None)
    changes = index_changes(domain, stored, index, made_from=found.index_digest)
    progress.say(f"{domain}: {changes}; computing what changed")
    return None
