"""Rows as the pieces of text that every printed format shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from w2s_cache.tables.rounding import half_up
from w2s_cache.tables.table import Block, Cell, Row, Unit

MISSING = "–"
NOT_APPLICABLE = "n/a"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CellText:
    """What one cell prints.

    Args:
        value: The rounded number, or the sign of its absence.
        spread: The rounded standard deviation, None where there is none.
        mark: ``"(2/3)"`` for missing seeds, ``"*"`` for what is computed from such cells,
            ``"[1.23]"`` for what a published number should be, or "".
        best: Whether no method has a higher number in this column, as rounded.
    """

    value: str
    spread: str | None = None
    mark: str = ""
    best: bool = False

    @property
    def spaced_mark(self) -> str:
        """The mark, parted from the number by a space where it is a number itself."""
        return f" {self.mark}" if self.mark.startswith(("(", "[")) else self.mark


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one row prints.

    Args:
        label: First column.
        heading: Group heading to print above, None within a group or outside of groups.
        grouped: Whether the row stands under a heading.
        rule: Whether a rule parts it from the row above.
        cells: The other columns.
    """

    label: str
    heading: str | None
    grouped: bool
    rule: bool
    cells: tuple[CellText, ...]


def block_lines(block: Block, *, places: int) -> list[Line]:
    """Prints with ``places`` decimals for percentages, one more for ratios, none for counts.

    Published numbers keep the digits they have.
    """
    digits = {"percent": places, "ratio": places + 1, "count": 0}[block.unit]
    texts = [
        [_cell_text(cell, row, block.unit, digits) for cell in row.cells] for row in block.rows
    ]
    best = _best(block, texts) if block.unit == "percent" else set()
    lines = []
    above: Row | None = None
    for row, cells in zip(block.rows, texts, strict=True):
        changed = above is None or row.group != above.group
        marked = [
            dataclasses.replace(text, best=(row.name, column) in best)
            for column, text in enumerate(cells)
        ]
        lines.append(
            Line(
                label=row.label,
                heading=row.group if changed else None,
                grouped=row.group is not None,
                rule=above is not None and (row.kind == "delta") != (above.kind == "delta"),
                cells=tuple(marked),
            )
        )
        above = row
    return lines


def _cell_text(cell: Cell, row: Row, unit: Unit, places: int) -> CellText:
    if cell.printed is not None:
        return CellText(value=cell.printed, mark=f"[{cell.recomputed}]" if cell.recomputed else "")
    if cell.mean is None:
        absent = cell.status == "not-applicable"
        return CellText(value=NOT_APPLICABLE if absent else MISSING)
    value, spread = rounded(cell, places=places, percent=unit == "percent")
    if row.kind == "delta" and not value.startswith("-"):
        value = f"+{value}"
    return CellText(value=value, spread=spread, mark=_mark(cell))


def rounded(cell: Cell, *, places: int, percent: bool) -> tuple[str, str | None]:
    """A cell's mean and standard deviation as every printed number of ours is rounded.

    Args:
        cell: A cell that has a number.
        places: Decimals to write.
        percent: Whether to multiply by 100.

    Returns:
        The mean, and the spread where there is one.
    """
    mean = half_up(cell.mean or 0.0, places, percent=percent)
    return mean, None if cell.sd is None else half_up(cell.sd, places, percent=percent)


def _mark(cell: Cell) -> str:
    if cell.status != "partial":
        return ""
    return f"({cell.n}/{cell.expected})" if cell.lacks_seeds else "*"


def _best(block: Block, texts: Sequence[Sequence[CellText]]) -> set[tuple[str, int]]:
    """(row, column) of the highest rounded numbers among methods; equal ones are all best."""
    best = set()
    for column in range(len(block.rows[0].cells)):
        values = {
            row.name: float(cells[column].value)
            for row, cells in zip(block.rows, texts, strict=True)
            if row.kind == "method" and row.cells[column].mean is not None
        }
        best |= {(name, column) for name in values if values[name] == max(values.values())}
    return best
