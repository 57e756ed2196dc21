"""A table for the terminal: aligned columns, the best numbers bold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from w2s_cache.printable import on_one_line, wrapped
from w2s_cache.tables.lines import CellText, Line, block_lines
from w2s_cache.tables.listing import text_listing
from w2s_cache.tables.table import Block, Table

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def text_format(table: Table, *, color: bool = False) -> str:
    """Prints with one decimal for percentages and two for ratios.

    Args:
        table: What to print.
        color: Whether the reader understands terminal escapes; only then are numbers bold.
    """
    blocks = [
        _block(block, [on_one_line(head) for head in table.heads(block)], color=color)
        for block in table.read_blocks
    ]
    listings = [text_listing(listing) for listing in table.listings]
    return "\n\n".join([*blocks, *listings, text_sentences(table.footer)]) + "\n"


def text_sentences(sentences: Iterable[str]) -> str:
    """What stands below a table or a comparison, wrapped for the terminal."""
    return "\n".join(wrapped(on_one_line(sentence)) for sentence in sentences)


def _block(block: Block, columns: Sequence[str], *, color: bool) -> str:
    lines = block_lines(block, places=1)
    first = max(len(_label(line)) for line in lines)
    widths = [
        max(len(name), *(len(_plain(line.cells[place])) for line in lines))
        for place, name in enumerate(columns)
    ]
    head = "  ".join([" " * first, *(n.rjust(w) for n, w in zip(columns, widths, strict=True))])
    rule = "-" * len(head)
    printed = [on_one_line(block.title), rule, head, rule]
    for line in lines:
        printed += [rule] if line.rule else []
        printed += [on_one_line(line.heading)] if line.heading else []
        cells = [_aligned(c, w, color=color) for c, w in zip(line.cells, widths, strict=True)]
        printed.append("  ".join([_label(line).ljust(first), *cells]))
    return "\n".join(line.rstrip() for line in [*printed, rule])


def _label(line: Line) -> str:
    label = on_one_line(line.label)
    return f"  {label}" if line.grouped else label


def _plain(cell: CellText) -> str:
    spread = f" ±{cell.spread}" if cell.spread else ""
    return f"{cell.value}{spread}{cell.spaced_mark}"


def _aligned(cell: CellText, width: int, *, color: bool) -> str:
    text = _plain(cell).rjust(width)
    if color and cell.best:
        return text.replace(cell.value, f"{BOLD}{cell.value}{PLAIN}", 1)
    return text
