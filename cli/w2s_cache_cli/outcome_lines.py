"""What train and sweep print of their runs: a line per domain and method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from w2s_cache.train.outcome import RunOutcome
    from w2s_cache.train.study import Study


def outcome_lines(study: Study, outcomes: Iterable[RunOutcome]) -> Iterator[str]:
    """Mean accuracy over seeds as tables print it, the weak model's, and how many were reused.

    Args:
        study: What is run; its longest names make the columns.
        outcomes: Its runs, those of a domain and method one after the other.
    """
    domains, methods = (max(map(len, n)) for n in (study.domains, study.methods))
    for (domain, method), group in groupby(
        outcomes, key=lambda outcome: (outcome.record.domain, outcome.record.method)
    ):
        members = list(group)
        shown = (
            _scores(members)
            if members[0].record.status == "done"
            else f"n/a: {members[0].record.reason}"
        )
        yield f"{domain:{domains}}  {method:{methods}}  {shown}"


def _scores(members: Sequence[RunOutcome]) -> str:
    accuracy, spread = _printed(members, "accuracy")
    weak, _ = _printed(members, "weak_accuracy")
    reused = sum(member.reused for member in members)
    note = f", {reused} reused" if reused else ""
    shown = f"{accuracy:>5}" + (f" ± {spread}" if spread else "")
    return f"{shown} (weak {weak}; n={len(members)}{note})"


def _printed(members: Sequence[RunOutcome], metric: str) -> tuple[str, str | None]:
    from w2s_cache.tables.collect import mean_cell
    from w2s_cache.tables.lines import rounded

    scores = {member.record.seed: member.record.metrics[metric] for member in members}
    return rounded(mean_cell(scores, len(scores)), places=1, percent=True)
