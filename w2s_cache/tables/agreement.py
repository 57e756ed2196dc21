"""How far each method repeats the weak model it has learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from w2s_cache.tables.grid import Grid
from w2s_cache.tables.layout import WEAK, Layout
from w2s_cache.tables.row import row_cells
from w2s_cache.tables.table import Block, Row


def agreement_blocks(layout: Layout, grid: Grid) -> Sequence[Block]:
    """The block of agreements, where the layout asks for one.

    Agreement is the share of evaluated rows on which a method and the weak model name the same
    class. More of it is not better, so that no number is bold; the weak model itself has no row.
    """
    if not layout.agreement:
        return []
    rows = tuple(
        Row(
            name=method,
            label=layout.label(method),
            group=shown.group,
            kind="reference",
            cells=row_cells(grid, method, metric="agreement", average=layout.average),
        )
        for method, shown in layout.rows.items()
        if method != WEAK
    )
    title = "Agreement with the weak model (%)"
    return [Block(name=f"{layout.name}:agreement", title=title, unit="percent", rows=rows)]


def agreement_sentences(layout: Layout) -> Iterator[str]:
    """What agreement is, where it is shown."""
    if layout.agreement:
        yield (
            "Agreement: share of evaluated rows on which the method and the weak model name the "
            "same class, right or wrong."
        )
