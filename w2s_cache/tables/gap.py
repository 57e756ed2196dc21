"""The performance gap recovered by each method, column by column."""

from __future__ import annotations

from w2s_cache.metrics import performance_gap_recovered
from w2s_cache.tables.table import Cell, Row


def gap_row(row: Row, weak: Row, ceiling: Row) -> Row:
    """The shares of a method's row.

    In the average column the share is that of the averages, so that a domain with a tiny gap
    does not outweigh the others. Where the ceiling is not above the weak model the share is not
    applicable.
    """
    columns = zip(row.cells, weak.cells, ceiling.cells, strict=True)
    cells = tuple(_share(*cells) for cells in columns)
    return Row(name=row.name, label=row.label, group=row.group, kind="pgr", cells=cells)


def _share(method: Cell, weak: Cell, ceiling: Cell) -> Cell:
    if method.mean is None or weak.mean is None or ceiling.mean is None:
        absent = method.status == "not-applicable"
        return Cell(status="not-applicable" if absent else "missing")
    share = performance_gap_recovered(method.mean, weak.mean, ceiling.mean)
    if share is None:
        return Cell(status="not-applicable")
    whole = all(cell.status == "complete" for cell in (method, weak, ceiling))
    return Cell(mean=share, status="complete" if whole else "partial")
