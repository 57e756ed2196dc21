"""The records of a table, sorted into rows and columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from w2s_cache.command_line import command_line
from w2s_cache.errors import RecordError
from w2s_cache.results import RunRecord
from w2s_cache.tables.ceiling import ceiling_records
from w2s_cache.tables.collect import column_of
from w2s_cache.tables.comparable import check_comparable
from w2s_cache.tables.layout import CEILING, Layout, Varied


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a table should have beside what records have; what nobody ran is marked.

    Args:
        seeds: Seeds that every cell should have.
        domains: Columns of a table of domains whose layout fixes none.
    """

    seeds: tuple[int, ...] = ()
    domains: tuple[str, ...] = ()


WHAT_WAS_RUN = Expected()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Records that belong in one table.

    Args:
        by: The field that columns are made of.
        columns: Names of the columns: the layout's, else those that are expected or that records
            have, ascending.
        labels: What is printed for them.
        left_out: Columns that records have and the layout does not.
        unlisted: Methods that records of these columns have and the layout does not, ascending.
        seeds: Every seed that is expected or that any record has, ascending; each cell should have
            all of them.
        rows: The records of each row in the order of the layout; those of the ceiling are of the
            method that won in their column.
    """

    by: Varied
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    left_out: tuple[str, ...]
    unlisted: tuple[str, ...]
    seeds: tuple[int, ...]
    rows: Mapping[str, tuple[RunRecord, ...]]

    def records(self) -> tuple[RunRecord, ...]:
        """All records, row by row."""
        return tuple(record for row in self.rows.values() for record in row)

    def label_of(self, record: RunRecord) -> str:
        """What is printed above the column of a record."""
        return self.labels[self.columns.index(column_of(record, self.by))]


def sort_records(
    layout: Layout, records: Iterable[RunRecord], expected: Expected = WHAT_WAS_RUN
) -> Grid:
    """Sorts the records that a layout means, checked to be comparable.

    Where the layout fixes columns, others are left out. Its columns are those of another data set
    where no record is in any of them, or where one of them is neither expected nor recorded, though
    domains are expected: then they are those that records have or that are expected.

    Raises:
        RecordError: There are none, or they do not belong in one table.
    """
    records = tuple(records)
    relevant = _relevant(layout, records)
    found = sorted({column_of(record, layout.columns) for record in relevant})
    fixed = tuple(layout.column)
    declared = expected.domains if layout.columns == "domain" else ()
    free = tuple(sorted({*found, *declared}))
    foreign = not set(fixed) & set(found) or bool(declared and set(fixed) - set(free))
    columns = free if foreign else fixed
    used = [record for record in relevant if column_of(record, layout.columns) in columns]
    check_comparable(used, layout.columns)
    methods = layout.methods()
    unlisted = {r.method for r in records if column_of(r, layout.columns) in columns}
    by_method = {m: tuple(r for r in used if r.method == m) for m in methods}
    winners = ceiling_records(by_method, columns, metric=layout.metric, by=layout.columns)
    return Grid(
        by=layout.columns,
        columns=columns,
        labels=columns if foreign else tuple(map(layout.column_label, columns)),
        left_out=tuple(column for column in found if column not in columns),
        unlisted=tuple(sorted(unlisted - set(methods))),
        seeds=tuple(sorted({*expected.seeds, *(record.seed for record in used)})),
        rows={
            method: tuple(r for column in columns for r in winners[column])
            if method == CEILING
            else by_method[method]
            for method in layout.rows
        },
    )


def _relevant(layout: Layout, records: Iterable[RunRecord]) -> list[RunRecord]:
    """Records of the table's methods, in an order that does not depend on how they were found."""
    methods = layout.methods()
    found = sorted(
        (record for record in records if record.method in methods),
        key=lambda r: (r.method, r.domain, r.strong, r.weak, r.seed, r.run_id),
    )
    if not found:
        raise RecordError(
            f"there is nothing to print in the table {layout.name}",
            expected=f"run records of {', '.join(methods)}",
            found="none",
            fix=f"Run `{command_line('train', method=methods)}` first.",
        )
    return found


def absent_methods(layout: Layout, records: Iterable[RunRecord]) -> tuple[str, ...]:
    """Rows of the layout that no record is of; the ceiling counts as one of its methods."""
    present = {record.method for record in records}
    return tuple(name for name in layout.rows if name != CEILING and name not in present)
