"""The cells of a method's row: one per column, then their average."""

from __future__ import annotations

from w2s_cache.tables.average import average_cell
from w2s_cache.tables.collect import collect_scores, column_cells
from w2s_cache.tables.grid import Grid
from w2s_cache.tables.table import Cell


def row_cells(grid: Grid, method: str, *, metric: str, average: bool) -> tuple[Cell, ...]:
    """One cell per column of the grid, and the average over several where it is wanted.

    Raises:
        RecordError: A done record lacks the metric.
    """
    records = grid.rows[method]
    cells = column_cells(records, grid.columns, metric=metric, expected=len(grid.seeds), by=grid.by)
    if not average or len(cells) < 2:
        return cells
    return (*cells, average_cell(cells, collect_scores(records, metric, grid.by)))
