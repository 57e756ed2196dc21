"""The records of a table, sorted into rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from w2s_cache.results import RunRecord


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Records that belong in one table.

    Args:
        domains: The domains, ascending.
        seeds: Every seed that any record has, ascending; each cell should have all of them.
        rows: The records of each row in the order of the layout; those of the ceiling are of the
            method that won in their domain.
    """

    domains: tuple[str, ...]
    seeds: tuple[int, ...]
    rows: Mapping[str, tuple[RunRecord, ...]]

    def records(self) -> tuple[RunRecord, ...]:
        """All records, row by row."""
        return tuple(record for row in self.rows.values() for record in row)
