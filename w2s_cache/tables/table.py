"""A table as a value: everything that is printed, before it has a format."""

from __future__ import annotations

import dataclasses
from typing import Literal

from w2s_cache.tables.listing import Listing
from w2s_cache.tables.skipped import SkippedImages

Status = Literal["complete", "partial", "missing", "not-applicable"]
RowKind = Literal["method", "reference", "delta", "pgr", "published"]
Unit = Literal["percent", "ratio", "count"]

AVERAGE = "Avg"
"""Name of the column of averages."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number with its spread, or the absence of one.

    Args:
        mean: Mean over seeds as a fraction (or a ratio, or a count), None where there is no number
            of ours.
        sd: Sample standard deviation over seeds (n − 1), None for fewer than two seeds and for
            numbers that are computed from other cells.
        seeds: The seeds that were averaged, ascending.
        expected: How many seeds the table has; fewer in a cell are marked.
        status: ``"partial"`` when seeds, or cells it is computed from, are missing.
        printed: A published number, digit for digit; stands instead of ``mean``.
        recomputed: What a published number should be, where its own table contradicts it.
    """

    mean: float | None = None
    sd: float | None = None
    seeds: tuple[int, ...] = ()
    expected: int = 0
    status: Status
    printed: str | None = None
    recomputed: str | None = None

    @property
    def n(self) -> int:
        """Number of seeds."""
        return len(self.seeds)

    @property
    def lacks_seeds(self) -> bool:
        """Whether it is the mean of some, but not all, of the table's seeds."""
        return 0 < self.n < self.expected


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: a method, a reference, a difference or a share of the gap.

    Args:
        name: Name of the method, or what is computed from which method.
        label: What is printed.
        group: Heading above consecutive rows of the same group.
        kind: What the row is; only rows of kind ``"method"`` compete for the bold number.
        cells: One per column.
    """

    name: str
    label: str
    group: str | None = None
    kind: RowKind
    cells: tuple[Cell, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows under a common heading.

    Args:
        name: Name in machine-readable formats.
        title: Heading.
        unit: ``"percent"`` prints fractions as percentages, ``"ratio"`` prints them as they are,
            ``"count"`` without decimals.
        rows: The lines.
        columns: Names of columns of its own; none where it has the table's.
        labels: What is printed for these; none where it is the names.
    """

    name: str
    title: str
    unit: Unit
    rows: tuple[Row, ...]
    columns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether it is of shares of the gap and none has a number, which a sentence says."""
        shares = [row for row in self.rows if row.kind == "pgr"]
        return bool(shares) and all(cell.mean is None for row in shares for cell in row.cells)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Blocks over common columns, and the footer that says what the numbers are.

    Args:
        name: Name of the table, fit for file names and labels.
        columns: Names of domains or models, then ``"Avg"`` if it averages.
        blocks: The scores, then what is derived from them or stands beside them.
        footer: Sentences.
        labels: What is printed for the columns; none where it is the names.
        listings: Lists below the blocks that have columns of their own; not in CSV.
        skipped: What columns lack; said in the footer, and counted in CSV, which has none.
    """

    name: str
    columns: tuple[str, ...]
    blocks: tuple[Block, ...]
    footer: tuple[str, ...]
    labels: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ()
    skipped: tuple[SkippedImages, ...] = ()

    @property
    def read_blocks(self) -> tuple[Block, ...]:
        """The blocks that people read: not those without a number, which only CSV has."""
        return tuple(block for block in self.blocks if not block.is_bare)

    def names(self, block: Block) -> tuple[str, ...]:
        """Names of a block's columns."""
        return block.columns or self.columns

    def heads(self, block: Block) -> tuple[str, ...]:
        """What is printed above a block's columns."""
        if block.columns:
            return block.labels or block.columns
        return self.labels or self.columns
