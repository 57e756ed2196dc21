"""Gathers records into the cells of a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from w2s_cache.errors import RecordError
from w2s_cache.results import RunRecord
from w2s_cache.tables.layout import Varied
from w2s_cache.tables.table import Cell

Scores = Mapping[int, float]
"""Seed → score of one method in one column."""


def sample_sd(values: Sequence[float]) -> float | None:
    """Sample standard deviation (n − 1); None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def mean_cell(scores: Scores, expected: int) -> Cell:
    """The cell of one score per seed.

    Args:
        scores: At least one score, by seed.
        expected: How many seeds there should be; fewer make the cell partial.
    """
    seeds = tuple(sorted(scores))
    values = [scores[seed] for seed in seeds]
    return Cell(
        mean=math.fsum(values) / len(values),
        sd=sample_sd(values),
        seeds=seeds,
        expected=expected,
        status="complete" if len(seeds) == expected else "partial",
    )


def column_of(record: RunRecord, by: Varied) -> str:
    """The column a record stands in."""
    return {"domain": record.domain, "strong": record.strong, "weak": record.weak}[by]


def collect_scores(
    records: Sequence[RunRecord], metric: str, by: Varied = "domain"
) -> dict[str, dict[int, float]]:
    """Scores of one method's done records, by column and seed.

    Raises:
        RecordError: A done record lacks the metric.
    """
    scores: dict[str, dict[int, float]] = {}
    for record in records:
        if record.status != "done":
            continue
        if metric not in record.metrics:
            raise RecordError(
                f"the run {record.run_id} of {record.method} on {record.domain} lacks a metric",
                expected=metric,
                found=", ".join(sorted(record.metrics)) or "no metrics",
                fix="Choose a metric that every run has, or run that method again.",
            )
        scores.setdefault(column_of(record, by), {})[record.seed] = record.metrics[metric]
    return scores


def column_cells(
    records: Sequence[RunRecord],
    columns: Sequence[str],
    *,
    metric: str,
    expected: int,
    by: Varied = "domain",
) -> tuple[Cell, ...]:
    """One cell per column from the records of one method.

    A column without a done run is missing, or not applicable when every run there said so.

    Raises:
        RecordError: A done record lacks the metric.
    """
    scores = collect_scores(records, metric, by)
    refused = {column_of(r, by) for r in records if r.status == "not-applicable"}
    return tuple(
        mean_cell(scores[column], expected)
        if column in scores
        else Cell(expected=expected, status="not-applicable" if column in refused else "missing")
        for column in columns
    )
