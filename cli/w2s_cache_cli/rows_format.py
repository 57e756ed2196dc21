"""Lines of named values as text, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="What is printed.",
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="Lines per domain. Default: in text 20 of duplicates and of labels by image, else all.",
)
_SHOWN = 20

Line = Mapping[str, Any]


def limited(lines: Sequence[Line], limit: int | None, format_: str) -> list[Line]:
    """The first lines that are to be printed."""
    return list(lines[: _SHOWN if limit is None and format_ == "text" else limit])


def text_block(title: str, lines: Sequence[Line], *, words: int) -> str:
    """Aligned columns below a title, the first ``words`` of them left; three decimals."""
    from w2s_cache.tables.listing import Listing, text_listing

    cells = tuple(tuple(_text(value) for value in line.values()) for line in lines)
    header = tuple(name.replace("_", " ") for name in lines[0])
    return text_listing(Listing(title=title, header=header, lines=cells, words=words))


def csv_lines(lines: Sequence[Line], columns: Sequence[str]) -> str:
    """All digits; what is absent is empty; the header also where there is no line."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


def json_text(value: Any) -> str:
    """Indented JSON with a final line break."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
