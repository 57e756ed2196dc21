"""The sentences under a table that say how its methods were trained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from w2s_cache.counted import counted
from w2s_cache.results import DIVERGED, RunRecord
from w2s_cache.tables.flatten import flatten
from w2s_cache.tables.layout import Layout
from w2s_cache.tables.wording import enumerated, row_label


def settings_sentences(layout: Layout, done: Iterable[RunRecord]) -> Iterator[str]:
    """The recipe that trained methods share, said once each, then every method's own options."""
    members: dict[str, list[RunRecord]] = {}
    for record in done:
        members.setdefault(record.method, []).append(record)
    recipes: dict[str, list[str]] = {}
    own: dict[str, list[str]] = {}
    for method, records in members.items():
        name = row_label(layout, method)
        config = records[0].config
        if config.get("recipe"):
            recipes.setdefault(listed(config["recipe"]), []).append(name)
        rest = {k: v for k, v in config.items() if k not in {"recipe", "options"}}
        shown = [*flatten(config.get("options", {})), *flatten(rest)]
        if shown:
            own.setdefault(f"{listed(dict(shown))}{_chosen(records)}", []).append(name)
    for recipe, names in recipes.items():
        yield f"Trained with {recipe}: {enumerated(names)}."
    for options, names in own.items():
        yield f"{enumerated(names)}: {options}."


def listed(values: Mapping[str, Any]) -> str:
    """``a.b=1, c=x`` for nested settings, ascending by name."""
    flat = sorted(flatten(values))
    return ", ".join(setting_text(name, value) for name, value in flat)


def setting_text(name: str, value: Any) -> str:
    """``NAME=VALUE`` as ``--set`` reads it; a text that is empty or has spaces stands in quotes."""
    plain = isinstance(value, str) and value and " " not in value
    return f"{name}={value if plain else json.dumps(value, ensure_ascii=False)}"


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
        + ", ".join(f"{value} in {counted(n, 'run')}" for value, n in sorted(count.items()))
        for name, count in sorted(counts.items())
    )
