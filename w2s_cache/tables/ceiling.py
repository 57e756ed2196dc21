"""The strong ceiling: in each column the best of the models trained on ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from w2s_cache.methods import CEILING_METHODS
from w2s_cache.results import RunRecord
from w2s_cache.tables.collect import collect_scores, column_of
from w2s_cache.tables.layout import Varied


def ceiling_records(
    records: Mapping[str, Sequence[RunRecord]],
    columns: Sequence[str],
    *,
    metric: str,
    by: Varied = "domain",
) -> dict[str, Sequence[RunRecord]]:
    """Chooses the ceiling of each column by the mean over its seeds, all seeds from one method.

    Args:
        records: Records by method.
        columns: The table's columns.
        metric: What is compared.
        by: The field that columns are made of.

    Returns:
        The records that stand for the ceiling, by column; of equal means the first method's. A
        column without a done run keeps the records that say why, if there are any.
    """
    chosen: dict[str, Sequence[RunRecord]] = {}
    for column in columns:
        candidates = [
            [record for record in records.get(method, ()) if column_of(record, by) == column]
            for method in CEILING_METHODS
        ]
        chosen[column] = max(candidates, key=lambda runs: _mean(runs, metric))
    return chosen


def _mean(records: Sequence[RunRecord], metric: str) -> float:
    """Mean score; records without one rank below all others, no records last."""
    scores = [score for runs in collect_scores(records, metric).values() for score in runs.values()]
    if not scores:
        return -1.0 if records else -2.0
    return sum(scores) / len(scores)
