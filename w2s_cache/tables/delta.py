"""Differences between a method and the best of its baselines, column by column."""

from __future__ import annotations

from collections.abc import Sequence

from w2s_cache.tables.table import Cell, Row


def delta_cells(of: Row, against: Sequence[Row]) -> tuple[Cell, ...]:
    """Mean of ``of`` minus the highest mean among ``against``, in every column.

    In the average column too the difference is that of the unrounded averages, which is not the
    average of the differences. A baseline that is not applicable is left out; one that is missing
    or lacks seeds makes the difference partial.
    """
    columns = zip(of.cells, *(row.cells for row in against), strict=True)
    return tuple(_difference(first, rest) for first, *rest in columns)


def _difference(of: Cell, against: Sequence[Cell]) -> Cell:
    known = [cell.mean for cell in against if cell.mean is not None]
    if of.mean is None or not known:
        return Cell(status="missing")
    whole = all(cell.status in ("complete", "not-applicable") for cell in (of, *against))
    return Cell(mean=of.mean - max(known), status="complete" if whole else "partial")
