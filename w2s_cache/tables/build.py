"""From a layout and records to a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from w2s_cache.results import RunRecord
from w2s_cache.tables.agreement import agreement_blocks
from w2s_cache.tables.delta import delta_cells
from w2s_cache.tables.evaluated import Read
from w2s_cache.tables.footer import footer
from w2s_cache.tables.gap import gap_row
from w2s_cache.tables.grid import WHAT_WAS_RUN, Expected, Grid, sort_records
from w2s_cache.tables.layout import CEILING, WEAK, ZERO_SHOT, Layout
from w2s_cache.tables.leads import leads
from w2s_cache.tables.published_block import published_blocks
from w2s_cache.tables.row import row_cells
from w2s_cache.tables.skipped import skipped_images
from w2s_cache.tables.table import AVERAGE, Block, Row, Table


def build(
    layout: Layout,
    records: Iterable[RunRecord],
    expected: Expected = WHAT_WAS_RUN,
    *,
    read: Read | None = None,
    note: str = "",
) -> Table:
    """Makes a table; the order of the records changes nothing.

    Args:
        layout: What to show, with rows of methods.
        records: Records of any methods; those the layout does not name are ignored.
        expected: Seeds and domains the table should have, whoever ran them.
        read: Gives the predictions of a run, for layouts that ask for significance.
        note: What else is to be said of the records, the last sentence of the footer.

    Returns:
        Everything that is printed.

    Raises:
        RecordError: No record is of a method of the table, the records do not belong in one
            table, or one lacks the metric.
        UnknownNameError: The layout names a published table that is not there.
        SpecError: The published table has no row of the layout.
    """
    records = tuple(records)
    grid = sort_records(layout, records, expected)
    rows = {method: _row(layout, grid, method) for method in layout.rows}
    blocks = (
        _scores(layout, grid, rows),
        *_gap_blocks(layout, rows),
        *agreement_blocks(layout, grid),
        *published_blocks(layout),
    )
    listings, sentences = leads(layout, grid, records, read=read)
    averaged = layout.average and len(grid.columns) > 1
    return Table(
        name=layout.name,
        columns=(*grid.columns, AVERAGE) if averaged else grid.columns,
        labels=(*grid.labels, AVERAGE) if averaged else grid.labels,
        blocks=blocks,
        footer=(*footer(layout, grid, rows, blocks), *sentences, *([note] if note else [])),
        listings=listings,
        skipped=skipped_images(grid.records(), grid.label_of),
    )


def _scores(layout: Layout, grid: Grid, rows: Mapping[str, Row]) -> Block:
    spread = f"; mean ± sample SD over {len(grid.seeds)} seeds" if len(grid.seeds) > 1 else ""
    return Block(
        name=layout.name,
        title=f"{layout.title} ({layout.metric.replace('_', ' ')}, %{spread})",
        unit="percent",
        rows=(*rows.values(), *_delta_rows(layout, rows)),
    )


def _row(layout: Layout, grid: Grid, method: str) -> Row:
    oracle = any(record.protocol.get("select") == "oracle" for record in grid.rows[method])
    shown = layout.rows[method]
    return Row(
        name=method,
        label=layout.label(method)
        + _anchored(method, grid.rows[method])
        + (" [oracle]" if oracle else ""),
        group=shown.group,
        kind="reference" if shown.reference else "method",
        cells=row_cells(grid, method, metric=layout.metric, average=layout.average),
    )


def _anchored(method: str, records: Iterable[RunRecord]) -> str:
    """Zero-shot with anchors in place of text is another thing, so its label says so."""
    anchored = any(record.inputs.get("anchors_key") for record in records)
    return ": other domains' class means" if method == ZERO_SHOT and anchored else ""


def _delta_rows(layout: Layout, rows: Mapping[str, Row]) -> Sequence[Row]:
    return [
        Row(
            name=f"delta:{of}",
            label=layout.delta_label(of),
            kind="delta",
            cells=delta_cells(rows[of], [rows[name] for name in delta.against]),
        )
        for of, delta in layout.delta.items()
    ]


def _gap_blocks(layout: Layout, rows: Mapping[str, Row]) -> Sequence[Block]:
    if not layout.pgr:
        return []
    shares = tuple(
        gap_row(row, rows[WEAK], rows[CEILING]) for row in rows.values() if row.kind == "method"
    )
    title = "Performance gap recovered (PGR)"
    return [Block(name=f"{layout.name}:pgr", title=title, unit="ratio", rows=shares)]
