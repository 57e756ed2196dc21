"""Prints a table in the format that is asked for."""

from __future__ import annotations

from w2s_cache.errors import UnknownNameError
from w2s_cache.tables.csv_format import csv_format
from w2s_cache.tables.latex_format import latex_format
from w2s_cache.tables.markdown_format import markdown_format
from w2s_cache.tables.table import Table
from w2s_cache.tables.text_format import text_format

FORMATS = ("text", "md", "latex", "csv")


def render(table: Table, format: str, *, color: bool = False) -> str:  # noqa: A002
    """Prints a table.

    Args:
        table: What to print.
        format: One of :data:`FORMATS`.
        color: Whether the text format may use terminal escapes; other formats have none.

    Returns:
        The document, ending in a line break.

    Raises:
        UnknownNameError: There is no such format.
    """
    if format == "text":
        return text_format(table, color=color)
    printers = {"md": markdown_format, "latex": latex_format, "csv": csv_format}
    if format not in printers:
        raise UnknownNameError("table format", format, FORMATS)
    return printers[format](table)
