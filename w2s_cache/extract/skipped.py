"""What a domain's stores leave out: which images, where that is listed, which classes suffer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from w2s_cache.store.failures import RowFailure
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.index import Index
from w2s_cache.store.index_agreement import open_member_of
from w2s_cache.store.layout import FAILURES_FILE


def skipped_images(
    home: Path, found: FeatureSet, index: Index
) -> tuple[tuple[RowFailure, ...], Path | None]:
    """Images that are not valid in a feature set, each once, and the first file that lists some.

    Raises:
        StoreError: A store is absent or incomplete.
        StaleStoreError: A store is of other images or classes than the index.
        CorruptStoreError: A store is damaged.
    """
    by_row: dict[int, RowFailure] = {}
    file = None
    for ref in (found.image, found.logits):
        store = open_member_of(index, home, ref)
        for failure in store.failures():
            by_row.setdefault(failure.row, failure)
            file = file or store.directory / FAILURES_FILE
    return tuple(by_row[row] for row in sorted(by_row)), file


def emptied_classes(index: Index, skipped: tuple[RowFailure, ...]) -> Iterator[str]:
    """Yields a sentence for each class that skipping leaves without a test or a training image."""
    usable = np.ones(len(index), dtype=bool)
    usable[[failure.row for failure in skipped]] = False
    for half, rows in (("test", ~index.is_train), ("training", index.is_train)):
        before = np.bincount(index.labels[rows], minlength=len(index.classes))
        after = np.bincount(index.labels[rows & usable], minlength=len(index.classes))
        for label in np.flatnonzero((before > 0) & (after == 0)):
            name = index.classes[label]
            yield f"class {label} {name!r} has no usable {half} image, all are skipped"
