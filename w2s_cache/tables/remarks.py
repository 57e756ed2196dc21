"""The sentences under a table that explain its marks: missing seeds, missing runs, n/a."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from w2s_cache.results.lacking import seeds_named
from w2s_cache.tables.gap import tiny_gaps
from w2s_cache.tables.grid import Grid
from w2s_cache.tables.layout import CEILING, WEAK, Layout
from w2s_cache.tables.table import AVERAGE, Block, Cell, Row, Status
from w2s_cache.tables.wording import enumerated, row_label, rows_on


def remarks(
    layout: Layout, grid: Grid, rows: Mapping[str, Row], blocks: Sequence[Block]
) -> Iterator[str]:
    """Yields one sentence per kind of mark; rows that miss the same runs or seeds share one."""
    count = len(rows), len(grid.columns)
    names = {name: row_label(layout, name) for name in rows}
    yield from _missing_seeds(grid, rows, names)
    missing: dict[tuple[str, ...], list[str]] = {}
    for name, row in rows.items():
        cells = dict(zip(grid.labels, row.cells, strict=False))
        absent = tuple(_with_status(cells, "missing"))
        missing.setdefault(absent, []).append(names[name])
        yield from _not_applicable(grid, row, names[name], _with_status(cells, "not-applicable"))
    for absent, labels in missing.items():
        if absent:
            yield f"–: no run of {rows_on(labels, absent, count, each='any')}."
    yield from _tiny_gaps(grid, rows, blocks)
    cells_of_all = [cell for block in blocks for row in block.rows for cell in row.cells]
    if any(cell.status == "partial" and not cell.lacks_seeds for cell in cells_of_all):
        yield "*: computed from cells that lack seeds, or without a missing baseline."


def _missing_seeds(grid: Grid, rows: Mapping[str, Row], names: Mapping[str, str]) -> Iterator[str]:
    sharing: dict[tuple[tuple[str, ...], tuple[int, ...]], list[str]] = {}
    for name, row in rows.items():
        columns: dict[tuple[int, ...], list[str]] = {}
        for column, cell in zip(grid.labels, row.cells, strict=False):
            if cell.status == "partial":
                lacking = tuple(seed for seed in grid.seeds if seed not in cell.seeds)
                columns.setdefault(lacking, []).append(column)
        for lacking, places in columns.items():
            sharing.setdefault((tuple(places), lacking), []).append(names[name])
    count = len(grid.seeds)
    for (where, lacking), labels in sharing.items():
        shown = rows_on(labels, where, (len(rows), len(grid.columns)))
        verb = "lack" if 1 < len(labels) < len(rows) else "lacks"
        yield f"({count - len(lacking)}/{count}): {shown} {verb} {seeds_named(lacking)}."


def _tiny_gaps(grid: Grid, rows: Mapping[str, Row], blocks: Sequence[Block]) -> Iterator[str]:
    shares = [row for block in blocks for row in block.rows if row.kind == "pgr"]
    if not shares:
        return
    labels = (*grid.labels, AVERAGE)[: len(shares[0].cells)]
    tiny = list(tiny_gaps(shares, rows[WEAK], rows[CEILING], labels))
    if tiny:
        yield (
            f"PGR on {enumerated(tiny)} is a quotient of a tiny gap between weak model and "
            "ceiling: single images decide over it."
        )


def _not_applicable(grid: Grid, row: Row, label: str, columns: list[str]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for column in columns:
        records = [r for r in grid.rows[row.name] if grid.label_of(r) == column]
        why = sorted({record.reason for record in records})
        reasons.setdefault(" / ".join(why), []).append(column)
    for reason, where in reasons.items():
        yield f"n/a: {label} on {enumerated(where)}: {reason.rstrip('.')}."


def _with_status(cells: Mapping[str, Cell], status: Status) -> list[str]:
    return [column for column, cell in cells.items() if cell.status == status]
