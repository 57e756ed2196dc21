"""The performance gap recovered by each method, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from w2s_cache.metrics import performance_gap_recovered
from w2s_cache.tables.rounding import half_up
from w2s_cache.tables.table import Cell, Row

_TINY = 0.01
"""A gap of a point: one image in a hundred decides over the whole share."""


def gap_row(row: Row, weak: Row, ceiling: Row) -> Row:
    """The shares of a method's row.

    In the average column the share is that of the averages, so that a domain with a tiny gap
    does not outweigh the others. Where the ceiling is not above the weak model the share is not
    applicable.
    """
    columns = zip(row.cells, weak.cells, ceiling.cells, strict=True)
    cells = tuple(_share(*cells) for cells in columns)
    return Row(name=row.name, label=row.label, group=row.group, kind="pgr", cells=cells)


def tiny_gaps(
    shares: Sequence[Row], weak: Row, ceiling: Row, labels: Sequence[str]
) -> Iterator[str]:
    """Names the columns whose shares are of a gap below one point: ``sketch (0.4 points)``.

    Args:
        shares: Rows of :func:`gap_row`; a column where none has a number is not named.
        weak: The weak model's row.
        ceiling: That of the strong ceiling.
        labels: What stands above the columns.
    """
    for place, label in enumerate(labels):
        if all(row.cells[place].mean is None for row in shares):
            continue
        low, high = weak.cells[place].mean, ceiling.cells[place].mean
        if low is not None and high is not None and round(high - low, 12) < _TINY:
            yield f"{label} ({half_up(high - low, 2, percent=True)} points)"


def why_no_share(weak: Row, ceiling: Row) -> str:
    """Why a block of shares has no number, from the rows of weak model and strong ceiling."""
    ends = [
        (low.mean, high.mean)
        for low, high in zip(weak.cells, ceiling.cells, strict=True)
        if low.mean is not None and high.mean is not None
    ]
    if not ends:
        return "no column has runs of both the weak model and the ceiling"
    if all(performance_gap_recovered(low, low, high) is None for low, high in ends):
        return "the ceiling is above the weak model in no column"
    return "where the ceiling is above the weak model, no method has runs"


def _share(method: Cell, weak: Cell, ceiling: Cell) -> Cell:
    if method.mean is None or weak.mean is None or ceiling.mean is None:
        absent = method.status == "not-applicable"
        return Cell(status="not-applicable" if absent else "missing")
    share = performance_gap_recovered(method.mean, weak.mean, ceiling.mean)
    if share is None:
        return Cell(status="not-applicable")
    whole = all(cell.status == "complete" for cell in (method, weak, ceiling))
    return Cell(mean=share, status="complete" if whole else "partial")
