"""Runs that a table expects and nobody made, so that one command can make them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from w2s_cache.methods import CEILING_METHODS
from w2s_cache.results import RunRecord
from w2s_cache.tables.collect import column_of
from w2s_cache.tables.grid import Expected, Grid, sort_records
from w2s_cache.tables.layout import CEILING, Layout


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """What lacks runs; every missing run is one of the combinations.

    Args:
        methods: Methods in the order of the table.
        columns: Values of the field that its columns are made of.
        seeds: Seeds, ascending.
        runs: How many runs are missing.
    """

    methods: tuple[str, ...]
    columns: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: int


def missing_runs(layout: Layout, records: Iterable[RunRecord], expected: Expected) -> Missing:
    """What of a table's cells nobody ran; what is not applicable is not missing.

    Raises:
        RecordError: No record is of a method of the table, or they do not belong in one table.
    """
    records = tuple(records)
    grid = sort_records(layout, records, expected)
    lacking = [each for row in layout.rows for each in _of_row(grid, row, records)]
    return Missing(
        methods=tuple(dict.fromkeys(method for method, _, _ in lacking)),
        columns=tuple(dict.fromkeys(column for _, column, _ in lacking)),
        seeds=tuple(sorted({seed for _, _, seed in lacking})),
        runs=len(lacking),
    )


def _of_row(grid: Grid, row: str, records: tuple[RunRecord, ...]) -> Iterator[tuple[str, str, int]]:
    """(method, column, seed) of each run that a row lacks."""
    for column in grid.columns:
        own = [record for record in grid.rows[row] if column_of(record, grid.by) == column]
        if any(record.status != "done" for record in own):
            continue
        methods = {record.method for record in own} or _meant(row, records)
        present = {record.seed for record in own}
        for seed in grid.seeds:
            if seed not in present:
                yield from ((method, column, seed) for method in sorted(methods))


def _meant(row: str, records: tuple[RunRecord, ...]) -> set[str]:
    """The methods that would fill a row: of the ceiling those that were run elsewhere, or all."""
    if row != CEILING:
        return {row}
    run = {record.method for record in records} & set(CEILING_METHODS)
    return run or set(CEILING_METHODS)
