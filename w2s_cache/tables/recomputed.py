"""Averages and differences of a published table, computed again from its printed cells."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from w2s_cache.tables.published import Paper, PublishedRow, PublishedTable
from w2s_cache.tables.table import AVERAGE

REFERENCES = ("weak", "ceiling")
_CENT = Decimal("0.01")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A printed number that does not follow from the cells printed beside it.

    Args:
        table: What the paper calls the table.
        row: Name of the method, or ``delta:METHOD``.
        column: Name of the column, or ``"Avg"``.
        printed: What stands in the paper.
        recomputed: What follows, two decimals, ties away from zero.
    """

    table: str
    row: str
    column: str
    printed: Decimal
    recomputed: Decimal


def row_average(row: PublishedRow) -> Decimal:
    """Mean of the printed values with two decimals, ties away from zero as in the paper."""
    total = sum(row.values, Decimal(0))
    return (total / len(row.values)).quantize(_CENT, rounding=ROUND_HALF_UP)


def row_delta(table: PublishedTable, of: str) -> PublishedRow:
    """A method minus the best of the other methods, column by column.

    In the average column it is the difference of averages that are rounded first: so the paper's
    Table 1 comes out, where unrounded ones would give 3.66 instead of 3.67.
    """
    others = [row for name, row in table.rows.items() if name not in (of, *REFERENCES)]
    values = [
        value - max(row.values[place] for row in others)
        for place, value in enumerate(table.rows[of].values)
    ]
    average = row_average(table.rows[of]) - max(row_average(row) for row in others)
    return PublishedRow(values=tuple(values), average=average)


def disagreements(table: PublishedTable) -> Iterator[Disagreement]:
    """Yields every printed average and difference that its cells contradict, row by row."""
    for name, row in table.rows.items():
        if row.average is not None:
            expected = PublishedRow(values=row.values, average=row_average(row))
            yield from _differing(table, name, row, expected)
    for of, row in table.delta.items():
        yield from _differing(table, f"delta:{of}", row, row_delta(table, of))


def paper_disagreements(paper: Paper) -> list[Disagreement]:
    """All of a paper's, in the order of its tables."""
    return [found for table in paper.tables.values() for found in disagreements(table)]


def _differing(
    table: PublishedTable, name: str, printed: PublishedRow, expected: PublishedRow
) -> Iterator[Disagreement]:
    columns = (*table.columns, AVERAGE)
    pairs = zip(
        columns,
        (*printed.values, printed.average),
        (*expected.values, expected.average),
        strict=True,
    )
    for column, here, there in pairs:
        if here is not None and there is not None and here != there:
            yield Disagreement(
                table=table.label, row=name, column=column, printed=here, recomputed=there
            )
