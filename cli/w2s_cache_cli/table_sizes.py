"""The table of sizes: the indexes of the cache, and which of their images are skipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from w2s_cache.errors import CorruptStoreError
from w2s_cache.spec import Spec
from w2s_cache_cli.next_steps import completed

if TYPE_CHECKING:
    from w2s_cache.store.index import Index
    from w2s_cache.tables import Layout, Table


def sizes_table(layout: Layout, spec: Spec, domains: tuple[str, ...], home: Path) -> Table:
    """The sizes of the cached domains, or of those that are asked for.

    Raises:
        RecordError: There is neither an index nor a published table.
        StoreError: A store that a feature set refers to is absent, incomplete or of other images.
        CorruptStoreError: An index or a store is damaged. (A feature set is named in the footer.)
    """
    from w2s_cache.store.contents import cached_indexes
    from w2s_cache.tables import build_sizes

    cached = cached_indexes(home, spec.name)
    indexes = [index for index in cached if not domains or index.domain in domains]
    lost: list[str] = []
    table = build_sizes(
        layout,
        dataset=spec.name,
        indexes=indexes,
        protocol=spec.protocol,
        skipped={index.domain: _skipped(home, index, lost) for index in indexes},
    )
    return replace(table, footer=(*table.footer, *lost))


def _skipped(home: Path, index: Index, lost: list[str]) -> set[int]:
    """Rows that features or logits of any pair of models lack; what cannot be read is told."""
    from w2s_cache.extract.skipped import skipped_images
    from w2s_cache.store.feature_set import load_feature_set
    from w2s_cache.store.layout import domain_path

    rows: set[int] = set()
    folder = domain_path(home, index.dataset, index.domain)
    for file in sorted(folder.glob("sets/*__*.json")):
        try:
            found = load_feature_set(file)
        except CorruptStoreError as error:
            fix = completed(error.fix)
            lost.append(
                f"{index.domain}: images that it skips are not counted: {error.what}. {fix}"
            )
            continue
        rows |= {failure.row for failure in skipped_images(home, found, index)[0]}
    return rows
