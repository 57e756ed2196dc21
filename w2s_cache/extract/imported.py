"""Somebody else's logits, read against the rows of a domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from w2s_cache.extract.other_domains import rows_elsewhere
from w2s_cache.extract.request import ExtractRequest, listing_of
from w2s_cache.weak.imported import read_weak_logits


def check_imported(requests: Mapping[str, ExtractRequest]) -> None:
    """Refuses files of predictions of several domains before anything of one is published.

    A single domain's file is read before anything else is computed, so that it is not read here.

    Args:
        requests: What is to be extracted, by domain.

    Raises:
        WeakLogitsError: A file does not fit its domain's images and classes.
        DataError: A domain is not what the spec says.
    """
    for domain, request in requests.items() if len(requests) > 1 else ():
        if request.weak_logits is not None:
            listing = listing_of(request, domain)
            paths = [entry.path for entry in listing.entries]
            imported_logits(request, domain, paths=paths, classes=listing.classes)


def imported_logits(
    request: ExtractRequest, domain: str, *, paths: Sequence[str], classes: Sequence[str]
) -> np.ndarray:
    """The file's logits in row order, (n, k) float32.

    Raises:
        WeakLogitsError: The file does not fit the rows and classes.
    """
    assert request.weak_logits is not None  # noqa: S101 - only asked where a file was given
    elsewhere = rows_elsewhere(request, domain)
    return read_weak_logits(request.weak_logits, paths=paths, classes=classes, elsewhere=elsewhere)
