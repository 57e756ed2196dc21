"""A table in LaTeX with the rules of the booktabs package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from w2s_cache.tables.escapes import escape_latex
from w2s_cache.tables.lines import CellText, Line, block_lines
from w2s_cache.tables.listing import latex_listing
from w2s_cache.tables.table import Block, Table


def latex_format(table: Table) -> str:
    """Prints with two decimals for percentages and three for ratios; the best numbers are bold."""
    lines = [r"\begin{table}[t]", r"\centering"]
    for position, block in enumerate(table.read_blocks):
        lines += [r"\par\bigskip"] if position else []
        lines += _block(block, table, captioned=position == 0)
    for listing in table.listings:
        lines += [r"\par\bigskip", latex_listing(listing)]
    lines += [rf"\par\smallskip{{\footnotesize\raggedright {_footer(table)}\par}}"]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _footer(table: Table) -> str:
    return "\\par\n".join(escape_latex(sentence) for sentence in table.footer)


def _block(block: Block, table: Table, *, captioned: bool) -> Iterator[str]:
    title = escape_latex(block.title)
    heads = table.heads(block)
    if captioned:
        yield rf"\caption{{{title}}}"
        yield rf"\label{{tab:{table.name}}}"
    yield rf"\begin{{tabular}}{{l{'r' * len(heads)}}}"
    yield r"\toprule"
    corner = "" if captioned else title
    yield _row([corner, *(escape_latex(column) for column in heads)])
    yield r"\midrule"
    for line in block_lines(block, places=2):
        yield from _line(line, len(heads) + 1)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _line(line: Line, columns: int) -> Iterator[str]:
    if line.rule:
        yield r"\midrule"
    if line.heading:
        heading = escape_latex(line.heading)
        yield rf"\multicolumn{{{columns}}}{{l}}{{\textit{{{heading}}}}} \\"
    label = (r"\quad " if line.grouped else "") + escape_latex(line.label)
    yield _row([label, *(_cell(cell) for cell in line.cells)])


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells).lstrip() + r" \\"


def _cell(cell: CellText) -> str:
    value = escape_latex(cell.value.replace("-", "−"))
    value = rf"\textbf{{{value}}}" if cell.best else value
    spread = rf"\,$\pm$\,{cell.spread}" if cell.spread else ""
    return f"{value}{spread}{cell.spaced_mark}"
