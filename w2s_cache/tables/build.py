"""From a layout and records to a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from w2s_cache.errors import RecordError
from w2s_cache.results import RunRecord
from w2s_cache.tables.average import average_cell
from w2s_cache.tables.ceiling import ceiling_records
from w2s_cache.tables.collect import collect_scores, domain_cells
from w2s_cache.tables.comparable import check_comparable
from w2s_cache.tables.delta import delta_cells
from w2s_cache.tables.footer import footer
from w2s_cache.tables.gap import gap_row
from w2s_cache.tables.grid import Grid
from w2s_cache.tables.layout import CEILING, WEAK, ZERO_SHOT, Layout
from w2s_cache.tables.table import Block, Row, Table

AVERAGE = "Avg"


def build(layout: Layout, records: Iterable[RunRecord]) -> Table:
    """Makes a table; the order of the records changes nothing.

    Args:
        layout: What to show.
        records: Records of any methods; those the layout does not name are ignored.

    Returns:
        Everything that is printed.

    Raises:
        RecordError: No record is of a method of the table, the records do not belong in one
            table, or one lacks the metric.
    """
    grid = _grid(layout, records)
    rows = {method: _row(layout, grid, method) for method in layout.rows}
    scores = Block(
        name=layout.name,
        title=_title(layout, grid),
        unit="percent",
        rows=(*rows.values(), *_delta_rows(layout, rows)),
    )
    blocks = (scores, *_gap_block(layout, rows))
    columns = (*grid.domains, AVERAGE) if len(grid.domains) > 1 else grid.domains
    return Table(
        name=layout.name,
        columns=columns,
        blocks=blocks,
        footer=footer(layout, grid, rows, blocks),
    )


def _title(layout: Layout, grid: Grid) -> str:
    spread = f"; mean ± sample SD over {len(grid.seeds)} seeds" if len(grid.seeds) > 1 else ""
    return f"{layout.title} ({layout.metric.replace('_', ' ')}, %{spread})"


def _grid(layout: Layout, records: Iterable[RunRecord]) -> Grid:
    """Sorts the relevant records by method, checked to be comparable."""
    methods = layout.methods()
    used = sorted(
        (record for record in records if record.method in methods),
        key=lambda record: (record.method, record.domain, record.seed, record.run_id),
    )
    if not used:
        raise RecordError(
            f"there is nothing to print in the table {layout.name}",
            expected=f"run records of {', '.join(methods)}",
            found="none",
            fix="Run the methods first, e.g. with `w2s-cache train`.",
        )
    check_comparable(used)
    domains = tuple(sorted({record.domain for record in used}))
    by_method = {m: tuple(r for r in used if r.method == m) for m in methods}
    winners = ceiling_records(by_method, domains, metric=layout.metric)
    rows = {
        method: tuple(r for domain in domains for r in winners[domain])
        if method == CEILING
        else by_method[method]
        for method in layout.rows
    }
    seeds = tuple(sorted({record.seed for record in used}))
    return Grid(domains=domains, seeds=seeds, rows=rows)


def _row(layout: Layout, grid: Grid, method: str) -> Row:
    records = grid.rows[method]
    cells = domain_cells(records, grid.domains, metric=layout.metric, expected=len(grid.seeds))
    if len(cells) > 1:
        cells = (*cells, average_cell(cells, collect_scores(records, layout.metric)))
    oracle = any(record.protocol.get("select") == "oracle" for record in records)
    shown = layout.rows[method]
    return Row(
        name=method,
        label=layout.label(method) + _anchored(method, records) + (" [oracle]" if oracle else ""),
        group=shown.group,
        kind="reference" if shown.reference else "method",
        cells=cells,
    )


def _anchored(method: str, records: Iterable[RunRecord]) -> str:
    """Zero-shot with anchors in place of text is another thing, so its label says so."""
    anchored = any(record.inputs.get("anchors_key") for record in records)
    return ": other domains' class means" if method == ZERO_SHOT and anchored else ""


def _delta_rows(layout: Layout, rows: dict[str, Row]) -> Sequence[Row]:
    return [
        Row(
            name=f"delta:{of}",
            label=delta.label or f"Δ {layout.label(of)}",
            kind="delta",
            cells=delta_cells(rows[of], [rows[name] for name in delta.against]),
        )
        for of, delta in layout.delta.items()
    ]


def _gap_block(layout: Layout, rows: dict[str, Row]) -> Sequence[Block]:
    if not layout.pgr:
        return []
    shares = tuple(
        gap_row(row, rows[WEAK], rows[CEILING]) for row in rows.values() if row.kind == "method"
    )
    title = "Performance gap recovered (PGR)"
    return [Block(name=f"{layout.name}:pgr", title=title, unit="ratio", rows=shares)]
