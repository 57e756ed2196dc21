"""Names and numbers in the sentences under a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from w2s_cache.tables.layout import Layout


def enumerated(names: Iterable[str]) -> str:
    """Names in a row, parted by semicolons where a name has a comma of its own."""
    names = list(names)
    return ("; " if any("," in name for name in names) else ", ").join(names)


def row_label(layout: Layout, method: str) -> str:
    """What sentences call a method's row: its label where no other row has it.

    Rows of several groups may share a label; such a row is called by label and group, or by the
    method where that does not tell it apart either. So is a method that has no row, as one that
    stands for the ceiling.
    """
    if method not in layout.rows:
        return method
    row = layout.rows[method]
    labels = [layout.label(name) for name in layout.rows]
    if labels.count(layout.label(method)) == 1:
        return layout.label(method)
    pairs = [(other.group, layout.label(name)) for name, other in layout.rows.items()]
    if row.group is None or pairs.count((row.group, layout.label(method))) > 1:
        return method
    return f"{layout.label(method)} ({row.group})"


def rows_on(
    names: Sequence[str], columns: Sequence[str], of: tuple[int, int], *, each: str = "every"
) -> str:
    """``A, B on real, sketch``; all of several rows, or columns, are not listed.

    Args:
        names: What the rows are called.
        columns: What stands above the columns.
        of: How many rows and columns there are.
        each: ``"every"``, or ``"any"`` in a sentence that denies.
    """
    rows = f"{each} row" if 1 < len(names) == of[0] else enumerated(names)
    where = f"{each}where" if 1 < len(columns) == of[1] else f"on {enumerated(columns)}"
    return f"{rows} {where}"
