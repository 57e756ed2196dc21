"""The numbers that a paper prints, as a block beside ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from w2s_cache.errors import SpecError
from w2s_cache.tables.layout import Layout
from w2s_cache.tables.published import Paper, PublishedRow, PublishedTable, find_published
from w2s_cache.tables.recomputed import disagreements
from w2s_cache.tables.table import AVERAGE, Block, Cell, Row


def published_blocks(layout: Layout) -> Sequence[Block]:
    """The block of published numbers, where the layout asks for one.

    It has the paper's columns, and those rows of the layout that the paper has too, in the order
    of the layout, then the paper's differences. Where a printed average or difference contradicts
    the cells beside it, the recomputed one stands in brackets.

    Raises:
        UnknownNameError: The paper or the table is not there.
        SpecError: The table has no row of the layout.
    """
    if layout.published is None:
        return []
    paper, table = find_published(layout.published)
    rows = _rows(layout, table)
    if not rows:
        raise SpecError(
            f"the layout {layout.name} has no row of {paper.authors}, {table.label}",
            expected=f"any of the rows {', '.join(table.rows)}",
            found=", ".join(layout.rows),
            fix="Add such a row, or leave 'published' out.",
        )
    source = f"{paper.authors}, {table.label}"
    averaged = (AVERAGE,) if table.averaged else ()
    return [
        Block(
            name=f"{layout.name}:published",
            title=f"Published for {table.title} ({source}; accuracy, %, as printed)",
            unit="percent",
            rows=tuple(rows),
            columns=(*table.columns, *averaged),
            labels=(*table.labels, *averaged),
        )
    ]


def published_sentences(layout: Layout, *, dataset: str) -> Iterator[str]:
    """Where published numbers come from, what is wrong with them and what they leave open.

    Args:
        layout: The table.
        dataset: Whose numbers stand above.
    """
    if layout.published is None:
        return
    paper, table = find_published(layout.published)
    yield f"Published: digits as printed in {paper.reference}, {table.label}."
    if table.dataset is None:
        yield f"{paper.authors} do not say of which data the numbers of {table.label} are."
    elif table.dataset != dataset:
        yield (
            f"The published numbers are of {table.dataset}, those above of {dataset}; the two "
            "cannot be compared."
        )
    if any(disagreements(table)):
        yield (
            "[ ]: recomputed from the printed cells where the printed average or difference "
            "contradicts them; the difference of averages is between rounded ones, as printed."
        )
    yield open_questions(paper)


def open_questions(paper: Paper) -> str:
    """What the paper does not say, so that nobody takes our values for its."""
    return f"{paper.authors} leave open: {'; '.join(paper.leaves_open)}."


def _rows(layout: Layout, table: PublishedTable) -> list[Row]:
    """The layout's rows that the paper has, then its differences of these."""
    wrong = {(d.row, d.column): d.recomputed for d in disagreements(table)}
    rows = [
        Row(
            name=name,
            label=layout.label(name),
            group=shown.group,
            kind="published",
            cells=_cells(table, name, table.rows[name], wrong),
        )
        for name, shown in layout.rows.items()
        if name in table.rows
    ]
    differences = [
        Row(
            name=f"delta:{of}",
            label=layout.delta_label(of),
            kind="delta",
            cells=_cells(table, f"delta:{of}", row, wrong, sign="+"),
        )
        for of, row in table.delta.items()
        if of in layout.rows
    ]
    return [*rows, *differences]


def _cells(
    table: PublishedTable,
    name: str,
    row: PublishedRow,
    wrong: Mapping[tuple[str, str], Decimal],
    *,
    sign: str = "",
) -> tuple[Cell, ...]:
    numbers: list[Decimal | None] = [*row.values, *([row.average] if table.averaged else [])]
    return tuple(
        Cell(status="missing")
        if number is None
        else Cell(
            status="complete",
            printed=f"{number:{sign}}",
            recomputed=f"{wrong[name, column]:{sign}}" if (name, column) in wrong else None,
        )
        for column, number in zip((*table.columns, AVERAGE), numbers, strict=False)
    )
