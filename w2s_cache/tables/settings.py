"""The sentences under a table that say how its methods were trained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from w2s_cache.results import DIVERGED, RunRecord
from w2s_cache.tables.flatten import flatten
from w2s_cache.tables.layout import Layout


def settings_sentences(layout: Layout, done: Iterable[RunRecord]) -> Iterator[str]:
    """The recipe that trained methods share, said once each, then every method's own options."""
    members: dict[str, list[RunRecord]] = {}
    for record in done:
        members.setdefault(row_name(layout, record), []).append(record)
    recipes: dict[str, list[str]] = {}
    for name, records in members.items():
        recipe = records[0].config.get("recipe")
        if recipe:
            recipes.setdefault(listed(recipe), []).append(name)
    for recipe, names in recipes.items():
        yield f"Trained with {recipe}: {', '.join(names)}."
    for name, records in members.items():
        options = {k: v for k, v in records[0].config.items() if k != "recipe"}
        shown = [*flatten(options.pop("options", {})), *flatten(options)]
        if shown:
            yield f"{name}: {listed(dict(shown))}{_chosen(records)}."


def row_name(layout: Layout, record: RunRecord) -> str:
    """The label of a record's row; the method's name where it stands for the ceiling."""
    return layout.label(record.method) if record.method in layout.rows else record.method


def listed(values: Mapping[str, Any]) -> str:
    """``a.b=1, c=x`` for nested settings, ascending by name."""
    flat = sorted(flatten(values))
    return ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in flat
    )


def _chosen(records: Sequence[RunRecord]) -> str:
    """What selection kept of each list of candidates and what diverged, and in how many runs."""
    kept = _counted((name, value) for record in records for name, value in record.chosen().items())
    lost = _counted(
        (name, value)
        for record in records
        for candidate in record.selected.get(DIVERGED, [])
        for name, value in candidate["settings"].items()
    )
    said = {"kept on val": kept, "diverged and left out": lost}
    shown = "; ".join(f"{words}: {counts}" for words, counts in said.items() if counts)
    return f" ({shown})" if shown else ""


def _counted(values: Iterable[tuple[str, Any]]) -> str:
    """``tau 0.1 in 2 runs, 1.0 in 1 run; shrinkage …``, ascending."""
    counts: dict[str, Counter[str]] = {}
    for name, value in values:
        counts.setdefault(name, Counter())[json.dumps(value)] += 1
    return "; ".join(
        f"{name} "
        + ", ".join(f"{value} in {n} run{'s' * (n != 1)}" for value, n in sorted(count.items()))
        for name, count in sorted(counts.items())
    )
