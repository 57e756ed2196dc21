"""A table of numbers of images: published ones, the parts they make here, and those of a cache."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from w2s_cache.errors import RecordError
from w2s_cache.spec import ProtocolSpec
from w2s_cache.store.index import Index
from w2s_cache.supervision.protocol import protocol_split
from w2s_cache.tables.layout import Layout
from w2s_cache.tables.published import PublishedTable, find_published
from w2s_cache.tables.skipped import SkippedImages, skipped_of_indexes, skipped_sentences
from w2s_cache.tables.table import Block, Cell, Row, Table

WHOLE = {"classes": "Classes", "train": "D_train", "test": "D_test", "total": "Total"}
PARTS = {"hold": "D_hold", "fit": "D_hold, fit", "val": "D_hold, val", "held-out": "D'_test"}
_ALL = WHOLE | PARTS


def build_sizes(
    layout: Layout,
    *,
    dataset: str,
    indexes: Sequence[Index],
    protocol: ProtocolSpec,
    skipped: Mapping[str, Collection[int]] | None = None,
) -> Table:
    """Makes a table of sizes.

    Args:
        layout: What to show, with ``content = "sizes"``.
        dataset: Whose indexes they are.
        indexes: One per domain that is cached, perhaps none.
        protocol: How D_test is divided.
        skipped: By domain, the rows whose images could not be used.

    Raises:
        RecordError: There is neither an index nor a published table.
        UnknownNameError: The layout names a published table that is not there.
    """
    blocks = [*_own(layout, dataset, indexes, protocol), *_published(layout, protocol)]
    if not blocks:
        raise RecordError(
            f"there is nothing to print in the table {layout.name}",
            expected=f"indexes of {dataset} in the cache, or a published table in the layout",
            found="neither",
            fix="Extract the data set first, or give the --cache-dir it is in.",
        )
    sentences = _sentences(layout, dataset, indexes, protocol)
    lacking = skipped_of_indexes(indexes, skipped or {}, layout.column_label)
    return Table(
        name=layout.name,
        columns=blocks[0].columns,
        labels=blocks[0].labels,
        blocks=tuple(blocks),
        footer=(*layout.footer, *sentences, *_skipped_sentences(lacking)),
        skipped=lacking,
    )


def _own(
    layout: Layout, dataset: str, indexes: Sequence[Index], protocol: ProtocolSpec
) -> Iterator[Block]:
    """What is in the cache, in the layout's order of domains, others after them."""
    order = [*layout.column]
    known = {index.domain: index for index in indexes}
    domains = [d for d in order if d in known] + sorted(set(known) - set(order))
    if not domains:
        return
    counts = {d: _counts(known[d], protocol) for d in domains}
    rows = [_row(name, label, [counts[d][name] for d in domains]) for name, label in _ALL.items()]
    yield Block(
        name=layout.name,
        title=f"{layout.title}: {dataset} as cached (images)",
        unit="count",
        rows=tuple(rows),
        columns=tuple(domains),
        labels=tuple(layout.column_label(domain) for domain in domains),
    )


def _published(layout: Layout, protocol: ProtocolSpec) -> Iterator[Block]:
    """The paper's numbers, and apart from them the parts that they make by our cuts."""
    if layout.published is None:
        return
    paper, table = find_published(layout.published, unit="count")
    shown = [
        Row(
            name=name,
            label=WHOLE.get(name, name),
            kind="published",
            cells=tuple(Cell(status="complete", printed=f"{value:f}") for value in row.values),
        )
        for name, row in table.rows.items()
    ]
    yield Block(
        name=f"{layout.name}:published",
        title=f"Published for {table.title} ({paper.authors}, {table.label}; images)",
        unit="count",
        rows=tuple(shown),
        columns=table.columns,
        labels=table.labels,
    )
    yield Block(
        name=f"{layout.name}:derived",
        title="Derived from these sizes by the protocol, not published (images)",
        unit="count",
        rows=tuple(_derived(table, protocol)),
        columns=table.columns,
        labels=table.labels,
    )


def _derived(table: PublishedTable, protocol: ProtocolSpec) -> Iterator[Row]:
    parts = [_parts(int(count), protocol) for count in table.rows["test"].values]
    for name, label in PARTS.items():
        yield _row(name, label, [part[name] for part in parts])


def _counts(index: Index, protocol: ProtocolSpec) -> Mapping[str, int]:
    train = int(index.is_train.sum())
    test = len(index) - train
    whole = {"classes": len(index.classes), "train": train, "test": test, "total": len(index)}
    return whole | _parts(test, protocol)


def _parts(test: int, protocol: ProtocolSpec) -> dict[str, int]:
    """Sizes of the parts of D_test, cut as training cuts them; they are alike for all seeds."""
    split = protocol_split(
        np.zeros(test, dtype=np.bool_),
        seed=0,
        hold_fraction=protocol.hold_fraction,
        fit_fraction=protocol.fit_fraction,
    )
    fit, val = len(split.fit), len(split.val)
    return {"hold": fit + val, "fit": fit, "val": val, "held-out": len(split.test)}


def _row(name: str, label: str, values: Sequence[int]) -> Row:
    cells = tuple(Cell(mean=value, status="complete") for value in values)
    return Row(name=name, label=label, kind="reference", cells=cells)


def _sentences(
    layout: Layout, dataset: str, indexes: Sequence[Index], protocol: ProtocolSpec
) -> Iterator[str]:
    yield (
        f"D_test is cut into D_hold ({protocol.hold_fraction}) and D'_test, D_hold into fit "
        f"({protocol.fit_fraction}) and val; every cut is the floor of the exact product."
    )
    if not indexes:
        yield f"No index of {dataset} is in the cache; `w2s-cache extract` makes one."
    if layout.published is not None:
        paper, table = find_published(layout.published, unit="count")
        yield f"Published: digits as printed in {paper.reference}, {table.label}."
        yield from _compared(table, dataset, indexes)


def _skipped_sentences(lacking: Sequence[SkippedImages]) -> Iterator[str]:
    if lacking:
        yield from skipped_sentences(lacking)
        yield "The sizes count skipped images; training and evaluation leave them out of each part."


def _compared(table: PublishedTable, dataset: str, indexes: Sequence[Index]) -> Iterator[str]:
    """Whether the cached domains have the published sizes, where they are of the same data set."""
    if table.dataset != dataset or not indexes:
        return
    differing = []
    for index in indexes:
        if index.domain in table.columns:
            place = table.columns.index(index.domain)
            train = int(index.is_train.sum())
            printed = [int(table.rows[half].values[place]) for half in ("train", "test")]
            if printed != [train, len(index) - train]:
                differing.append(index.domain)
    yield (
        f"Cached sizes differ from the published ones: {', '.join(differing)}."
        if differing
        else "All cached domains have the published sizes."
    )
