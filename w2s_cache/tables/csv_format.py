"""A table for machines: one line per cell, every digit, fractions as they are."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from w2s_cache.tables.escapes import escape_csv
from w2s_cache.tables.table import Table, Unit

COLUMNS = (
    *("table", "row", "column", "mean", "sd", "n", "seeds", "status"),
    *("published", "published_recomputed"),
)


def csv_format(table: Table) -> str:
    """Prints the columns of :data:`COLUMNS`.

    ``table`` is the block's name, ``row`` the method's (``delta:NAME`` for differences), ``seeds``
    are parted by spaces, and what is absent is empty. A published number has its own line in the
    block ``NAME:published``, as a fraction with all its digits, and beside it what it should be
    where its own table contradicts it. Images that a column lacks are counted in the block
    ``NAME:skipped``, rows ``test`` and ``train``. Footers are not printed.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for block in table.blocks:
        for row in block.rows:
            for column, cell in zip(table.names(block), row.cells, strict=True):
                numbers = ["" if x is None else repr(x) for x in (cell.mean, cell.sd)]
                seeds = " ".join(str(seed) for seed in cell.seeds)
                place = (block.name, escape_csv(row.name), escape_csv(column))
                published = [_fraction(x, block.unit) for x in (cell.printed, cell.recomputed)]
                line = [*place, *numbers, cell.n or "", seeds, cell.status, *published]
                writer.writerow(line)
    for lacks in table.skipped:
        for half, count in (("test", lacks.test), ("train", lacks.train)):
            place = (f"{table.name}:skipped", half, escape_csv(lacks.column))
            writer.writerow([*place, count, "", "", "", "complete", "", ""])
    return stream.getvalue()


def _fraction(digits: str | None, unit: Unit) -> str:
    """A printed percentage as a fraction, exact; other numbers as they are."""
    if digits is None:
        return ""
    return f"{Decimal(digits).scaleb(-2):f}" if unit == "percent" else digits
