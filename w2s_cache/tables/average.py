"""The average over columns, only where every column has a number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from w2s_cache.tables.collect import Scores, sample_sd
from w2s_cache.tables.table import Cell


def average_cell(cells: Sequence[Cell], scores: Mapping[str, Scores]) -> Cell:
    """Average of a row's unrounded means, every column counting alike.

    Its spread is that of the per-seed averages, which exist where all cells have the same seeds.

    Args:
        cells: The row's cells, one per column.
        scores: The scores behind them, by column and seed.

    Returns:
        A missing cell where a column has no number (not applicable where no column is); a
        partial one where a cell lacks seeds.
    """
    means = [cell.mean for cell in cells if cell.mean is not None]
    expected = cells[0].expected
    if len(means) < len(cells):
        absent = all(cell.status == "not-applicable" for cell in cells)
        return Cell(expected=expected, status="not-applicable" if absent else "missing")
    seeds = cells[0].seeds if len({cell.seeds for cell in cells}) == 1 else ()
    per_seed = [math.fsum(runs[seed] for runs in scores.values()) / len(cells) for seed in seeds]
    return Cell(
        mean=math.fsum(means) / len(means),
        sd=sample_sd(per_seed),
        seeds=seeds,
        expected=expected,
        status="complete" if all(cell.status == "complete" for cell in cells) else "partial",
    )
