"""The sentences under a table that explain its marks: missing seeds, missing runs, n/a."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from w2s_cache.results import RunRecord
from w2s_cache.tables.grid import Grid
from w2s_cache.tables.table import Block, Cell, Row, Status


def remarks(grid: Grid, rows: Mapping[str, Row], blocks: Sequence[Block]) -> Iterator[str]:
    """Yields one sentence per row and kind of mark, in the order of the rows."""
    for method, row in rows.items():
        cells = dict(zip(grid.domains, row.cells, strict=False))
        yield from _missing_seeds(grid, row, cells)
        missing = _with_status(cells, "missing")
        if missing:
            yield f"–: no run of {row.label} on {', '.join(missing)}."
        yield from _not_applicable(row, _with_status(cells, "not-applicable"), grid.rows[method])
    cells_of_all = [cell for block in blocks for row in block.rows for cell in row.cells]
    if any(cell.status == "partial" and not cell.lacks_seeds for cell in cells_of_all):
        yield "*: computed from cells that lack seeds, or without a missing baseline."


def _missing_seeds(grid: Grid, row: Row, cells: Mapping[str, Cell]) -> Iterator[str]:
    for domain in _with_status(cells, "partial"):
        cell = cells[domain]
        lacking = ", ".join(str(seed) for seed in grid.seeds if seed not in cell.seeds)
        yield f"({cell.n}/{cell.expected}): {row.label} on {domain} lacks seed {lacking}."


def _not_applicable(row: Row, domains: list[str], records: tuple[RunRecord, ...]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for domain in domains:
        why = sorted({record.reason for record in records if record.domain == domain})
        reasons.setdefault(" / ".join(why), []).append(domain)
    for reason, where in reasons.items():
        yield f"n/a: {row.label} on {', '.join(where)}: {reason.rstrip('.')}."


def _with_status(cells: Mapping[str, Cell], status: Status) -> list[str]:
    return [domain for domain, cell in cells.items() if cell.status == status]
