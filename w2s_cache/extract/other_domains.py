"""Rows of a data set's other domains, listed only when somebody's file of predictions has them."""

from __future__ import annotations

import functools
from collections.abc import Callable

from w2s_cache.data.source import list_domains
from w2s_cache.errors import DataError
from w2s_cache.extract.request import ExtractRequest, listing_of


def rows_elsewhere(request: ExtractRequest, domain: str) -> Callable[[str], bool]:
    """A question: is this path a row of a domain other than ``domain``?

    The first answer lists the other domains. One that cannot be listed, for instance because it was
    never fetched, owns whatever lies in a folder of its name.
    """

    @functools.cache
    def others() -> tuple[frozenset[str], tuple[str, ...]]:
        rows, folders = set[str](), []
        for name in list_domains(request.spec.data, request.root):
            if name == domain:
                continue
            try:
                listing = listing_of(request, name)
            except DataError:
                folders.append(f"{name}/")
            else:
                rows.update(entry.path for entry in listing.entries)
        return frozenset(rows), tuple(folders)

    def elsewhere(path: str) -> bool:
        rows, folders = others()
        return path in rows or path.startswith(folders)

    return elsewhere
