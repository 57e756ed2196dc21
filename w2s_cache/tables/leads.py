"""Below a table's numbers: is each method's lead over the best baseline more than luck?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from w2s_cache.results import RunRecord
from w2s_cache.tables.evaluated import Read, load_evaluated
from w2s_cache.tables.grid import Grid
from w2s_cache.tables.layout import Layout
from w2s_cache.tables.listing import Listing
from w2s_cache.tables.significance import best_pairs, significance
from w2s_cache.tables.significance_format import resampling, summary
from w2s_cache.tables.wording import enumerated, row_label

_BOOTSTRAP_SEED = 0
_CHOICE = "Which baseline is best is read off the same images."

Leads = tuple[tuple[Listing, ...], tuple[str, ...]]
"""A listing, and the sentences that say what its numbers are."""


def leads(
    layout: Layout,
    grid: Grid,
    records: Sequence[RunRecord],
    *,
    read: Read | None,
) -> Leads:
    """Each method of a layout against the best of ``significance.against``, by average.

    Args:
        layout: Names the baselines; without them there is no listing.
        grid: The table's records in rows.
        records: All records, those of the ceilings among them.
        read: Gives the predictions of a run; None where only records are at hand.
    """
    if layout.significance is None or read is None or layout.columns != "domain":
        return (), ()
    whole = list(_complete(grid))
    baselines = [name for name in layout.significance.against if name in whole]
    methods = [name for name in whole if not layout.rows[name].reference]
    if not baselines or len(set(methods) | set(baselines)) < 2:
        return (), ("No significance: too few methods have runs of every column and seed.",)
    used = [record for record in records if record.domain in grid.columns]
    evaluated = load_evaluated(used, list(dict.fromkeys([*methods, *baselines])), read)
    result = significance(
        evaluated,
        best_pairs(evaluated, methods, baselines),
        generator=np.random.default_rng(_BOOTSTRAP_SEED),
    )
    left_out = [
        row_label(layout, n) for n in grid.rows if n not in whole and not layout.rows[n].reference
    ]
    sentences = (*_incomplete(left_out), f"{resampling(result)} {_CHOICE}")
    labels = {name: row_label(layout, name) for name in grid.rows}
    return (summary(result, labels),), sentences


def _complete(grid: Grid) -> Iterator[str]:
    """Rows of one method with a done run of every column and seed."""
    wanted = {(column, seed) for column in grid.columns for seed in grid.seeds}
    for name, records in grid.rows.items():
        done = {(record.domain, record.seed) for record in records if record.status == "done"}
        if done == wanted and {record.method for record in records} == {name}:
            yield name


def _incomplete(labels: Sequence[str]) -> Iterator[str]:
    if labels:
        yield f"Not compared, lacking runs: {enumerated(labels)}."
