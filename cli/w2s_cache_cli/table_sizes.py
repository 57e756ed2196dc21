"""The table of sizes: the indexes of the cache, and which of their images are skipped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from w2s_cache.spec import Spec

if TYPE_CHECKING:
    from w2s_cache.store.index import Index
    from w2s_cache.tables import Layout, Table


def sizes_table(layout: Layout, spec: Spec, domains: tuple[str, ...], home: Path) -> Table:
    """The sizes of the cached domains, or of those that are asked for.

    Raises:
        RecordError: There is neither an index nor a published table.
        StoreError: A store that a feature set refers to is absent, incomplete or of other images.
        CorruptStoreError: An index, a feature set or a store is damaged.
    """
    from w2s_cache.store.contents import cached_indexes
    from w2s_cache.tables import build_sizes

    cached = cached_indexes(home, spec.name)
    indexes = [index for index in cached if not domains or index.domain in domains]
    return build_sizes(
        layout,
        dataset=spec.name,
        indexes=indexes,
        protocol=spec.protocol,
        skipped={index.domain: _skipped(home, index) for index in indexes},
    )


def _skipped(home: Path, index: Index) -> set[int]:
    """Rows that features or logits of any pair of models lack."""
    from w2s_cache.extract.skipped import skipped_images
    from w2s_cache.store.contents import cached_pairs
    from w2s_cache.store.feature_set import feature_set_path, load_feature_set

    rows: set[int] = set()
    place = {"dataset": index.dataset, "domain": index.domain}
    for strong, weak in cached_pairs(home, **place):
        found = load_feature_set(feature_set_path(home, **place, strong=strong, weak=weak))
        rows |= {failure.row for failure in skipped_images(home, found, index)[0]}
    return rows
