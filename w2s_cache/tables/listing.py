"""Lists of words and numbers under a title, as text, Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from w2s_cache.printable import on_one_line
from w2s_cache.tables.escapes import escape_latex, escape_markdown


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Printed lines; words stand left, numbers right.

    Args:
        title: Heading.
        header: Names of the columns.
        lines: The cells of every line, as printed.
        words: How many of the first columns hold words.
    """

    title: str
    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    words: int = 1


def text_listing(listing: Listing) -> str:
    """Aligned columns between rules; a first word that repeats the line above is left out."""
    lines = [listing.header, *_without_repeats(listing.lines)]
    cells = [tuple(on_one_line(cell) for cell in line) for line in lines]
    widths = [max(len(line[place]) for line in cells) for place in range(len(listing.header))]
    printed = [
        "  ".join(
            cell.ljust(width) if place < listing.words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    rule = "-" * max(map(len, printed))
    return "\n".join([on_one_line(listing.title), rule, printed[0], rule, *printed[1:], rule])


def markdown_listing(listing: Listing) -> str:
    """A Markdown table below its bold title."""
    marks = ["---" if n < listing.words else "---:" for n in range(len(listing.header))]
    rows = [[escape_markdown(cell) for cell in line] for line in (listing.header, *listing.lines)]
    rows.insert(1, marks)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"**{escape_markdown(listing.title)}**", "", *lines])


def _without_repeats(lines: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    above = ""
    for line in lines:
        yield ("" if line[0] == above else line[0], *line[1:])
        above = line[0]


def latex_listing(listing: Listing) -> str:
    """A tabular with the rules of booktabs, its title in the corner above."""
    columns = len(listing.header)
    form = "l" * listing.words + "r" * (columns - listing.words)
    rows = [
        " & ".join(_latex_cell(cell, number=n >= listing.words) for n, cell in enumerate(line))
        + r" \\"
        for line in (listing.header, *_without_repeats(listing.lines))
    ]
    title = rf"\multicolumn{{{columns}}}{{l}}{{{escape_latex(listing.title)}}} \\"
    return "\n".join(
        [
            *(rf"\begin{{tabular}}{{{form}}}", r"\toprule", title, r"\midrule"),
            *(rows[0], r"\midrule", *rows[1:], r"\bottomrule", r"\end{tabular}"),
        ]
    )


def _latex_cell(cell: str, *, number: bool) -> str:
    """Numbers have minus signs, words hyphens."""
    return escape_latex(cell.replace("-", "−") if number else cell)
