"""A table in Markdown, as GitHub reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from w2s_cache.tables.escapes import escape_markdown
from w2s_cache.tables.lines import CellText, block_lines
from w2s_cache.tables.listing import markdown_listing
from w2s_cache.tables.table import Block, Table


def markdown_format(table: Table) -> str:
    """Prints with one decimal for percentages and two for ratios; the best numbers are bold."""
    blocks = ["\n".join(_block(block, table.heads(block))) for block in table.read_blocks]
    footer = "\n".join(f"- {escape_markdown(sentence)}" for sentence in table.footer)
    listings = [markdown_listing(listing) for listing in table.listings]
    return "\n\n".join([*blocks, *listings, footer]) + "\n"


def _block(block: Block, columns: Sequence[str]) -> Iterator[str]:
    yield f"**{escape_markdown(block.title)}**"
    yield ""
    yield _row(["", *(escape_markdown(column) for column in columns)])
    yield f"|---|{'---:|' * len(columns)}"
    for line in block_lines(block, places=1):
        if line.heading:
            yield _row([f"*{escape_markdown(line.heading)}*", *("" for _ in columns)])
        yield _row([escape_markdown(line.label), *(_cell(cell) for cell in line.cells)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: CellText) -> str:
    value = f"**{cell.value}**" if cell.best else cell.value
    spread = f" ±{cell.spread}" if cell.spread else ""
    return f"{value}{spread}{escape_markdown(cell.spaced_mark)}"
