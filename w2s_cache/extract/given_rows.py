"""Rows that somebody else computed, written as a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from w2s_cache.extract.progress import Progress, anew, waiting
from w2s_cache.extract.request import ExtractRequest
from w2s_cache.extract.store_place import place_of, ref_to
from w2s_cache.store.feature_set import StoreRef
from w2s_cache.store.index import Index
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.writer import open_writer


def store_given(  # noqa: PLR0913 - the declaration of a store, all but two keyword-only
    request: ExtractRequest,
    index: Index,
    *,
    name: str,
    key: Mapping[str, Any],
    arrays: Sequence[ArraySpec],
    attributes: Mapping[str, Any],
    rows: Callable[[int, int], Mapping[str, np.ndarray]],
    progress: Progress,
) -> tuple[StoreRef, int]:
    """Fills what is missing of a store; who writes it already is waited for, and that is said.

    Args:
        request: The means of an extraction.
        index: The rows; of a text store its classes.
        name: The model's.
        key: All that changes the numbers, its kind among it.
        arrays: Declaration of every array.
        attributes: Facts kept beside the key.
        rows: Called with the first row of a shard and the one after its last: arrays by name, each
            (stop - start, *row_shape).
        progress: Where to report.

    Returns:
        The store, and the rows written now.

    Raises:
        StoreWriteError: No space, no permission.
    """
    directory = place_of(request, index, name, key)
    with open_writer(
        directory,
        kind=str(key["kind"]),
        key=key,
        rows=len(index.classes) if key["kind"] == "text" else len(index),
        arrays=arrays,
        shard_rows=request.spec.store.shard_rows,
        attributes=attributes,
        timeout=-1,
        on_wait=waiting(progress, f"{index.domain}: {name}"),
        on_unusable=anew(progress, f"{index.domain}: {name}"),
    ) as writer:
        missing = writer.missing()
        for start, stop in missing:
            writer.write(start, rows(start, stop))
    return ref_to(directory, request.home, key), sum(stop - start for start, stop in missing)
