"""A table for machines: one line per cell, every digit, fractions as they are."""

from __future__ import annotations

import csv
import io

from w2s_cache.tables.table import Table

COLUMNS = ("table", "row", "column", "mean", "sd", "n", "seeds", "status")


def csv_format(table: Table) -> str:
    """Prints the columns of :data:`COLUMNS`.

    ``table`` is the block's name, ``row`` the method's (``delta:NAME`` for differences), ``seeds``
    are parted by spaces, and what is absent is empty. Footers are not printed.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for block in table.blocks:
        for row in block.rows:
            for column, cell in zip(table.columns, row.cells, strict=True):
                numbers = ["" if x is None else repr(x) for x in (cell.mean, cell.sd)]
                seeds = " ".join(str(seed) for seed in cell.seeds)
                place = (block.name, row.name, column)
                writer.writerow([*place, *numbers, cell.n or "", seeds, cell.status])
    return stream.getvalue()
