"""The sentences under a table that say what its numbers are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from w2s_cache.results import RunRecord
from w2s_cache.tables.flatten import flatten
from w2s_cache.tables.grid import Grid
from w2s_cache.tables.layout import CEILING, Layout
from w2s_cache.tables.remarks import remarks
from w2s_cache.tables.table import Block, Row


def footer(
    layout: Layout, grid: Grid, rows: Mapping[str, Row], blocks: Sequence[Block]
) -> tuple[str, ...]:
    """All sentences, in reading order: what is meant, where it comes from, what is missing."""
    done = [record for record in grid.records() if record.status == "done"]
    sentences = [
        *layout.footer,
        _spread(grid),
        *_average(grid),
        *_models(grid.records()),
        *_anchors(grid.records()),
        *_protocol(grid.records()),
        *_selection(layout, done),
        *_evaluated(done),
        *_ceiling(layout, grid),
        *_derived(layout),
        *_settings(layout, done),
        *_versions(done),
        *remarks(grid, rows, blocks),
    ]
    return tuple(" ".join(sentence.split()) for sentence in sentences)


def _spread(grid: Grid) -> str:
    seeds = ", ".join(map(str, grid.seeds))
    if len(grid.seeds) == 1:
        return f"One seed ({seeds}), hence no ±."
    count = len(grid.seeds)
    return f"± is the sample standard deviation (n − 1) over {count} seeds ({seeds})."


def _average(grid: Grid) -> Iterator[str]:
    if len(grid.domains) > 1:
        spread = ", its ± that of the per-seed averages" if len(grid.seeds) > 1 else ""
        yield f"Avg is the mean of the unrounded numbers where every column has one{spread}."


def _models(records: Sequence[RunRecord]) -> Iterator[str]:
    first = records[0]
    yield f"Data set {first.dataset}; strong model {first.strong}; weak model {first.weak}."


def _anchors(records: Sequence[RunRecord]) -> Iterator[str]:
    if any(record.inputs.get("anchors_key") for record in records):
        yield (
            "The strong model has no text tower: where a method asks for class text it was given "
            "anchors, the class means of the other domains' labelled training images."
        )


def _protocol(records: Sequence[RunRecord]) -> Iterator[str]:
    values = {k: v for k, v in records[0].protocol.items() if k not in ("eval_split", "select")}
    yield f"Evaluated on {records[0].protocol.get('eval_split')}; protocol {_listed(values)}."


def _selection(layout: Layout, done: Iterable[RunRecord]) -> Iterator[str]:
    by_way: dict[str, list[str]] = {}
    for record in done:
        labels = by_way.setdefault(str(record.protocol.get("select")), [])
        if _name(layout, record) not in labels:
            labels.append(_name(layout, record))
    ways = [f"{way} ({', '.join(labels)})" for way, labels in sorted(by_way.items())]
    if len(by_way) == 1:
        ways = list(by_way)
    if ways:
        warning = "; oracle has seen ground truth" if "oracle" in by_way else ""
        yield f"Selection: {'; '.join(ways)}{warning}."


def _evaluated(done: Iterable[RunRecord]) -> Iterator[str]:
    rows = {record.domain: record.counts.get("eval") for record in done}
    if rows:
        yield f"Rows evaluated: {', '.join(f'{name} {rows[name]}' for name in sorted(rows))}."
    skipped: dict[str, int] = {}
    for record in done:
        count = record.counts.get("skipped", 0)
        skipped[record.domain] = max(count, skipped.get(record.domain, 0))
    shown = [f"{name} {skipped[name]}" for name in sorted(skipped) if skipped[name]]
    if shown:
        yield f"Images skipped because they could not be read: {', '.join(shown)}."


def _ceiling(layout: Layout, grid: Grid) -> Iterator[str]:
    winners: dict[str, list[str]] = {}
    for record in grid.rows.get(CEILING, ()):
        domains = winners.setdefault(record.method, [])
        if record.status == "done" and record.domain not in domains:
            domains.append(record.domain)
    shown = [f"{m} on {', '.join(domains)}" for m, domains in sorted(winners.items()) if domains]
    if shown:
        label = layout.label(CEILING)
        yield f"{label}: trained on ground truth, the better by mean is {'; '.join(shown)}."


def _derived(layout: Layout) -> Iterator[str]:
    for of, delta in layout.delta.items():
        baselines = ", ".join(layout.label(name) for name in delta.against)
        yield (
            f"{delta.label or f'Δ {layout.label(of)}'}: {layout.label(of)} minus the best of "
            f"{baselines} in each column, in points; that of Avg is between unrounded averages."
        )
    if layout.pgr:
        yield (
            "PGR: (method − weak) / (ceiling − weak), from means over seeds; that of Avg is "
            "between averages; n/a where the ceiling is not above the weak model."
        )


def _settings(layout: Layout, done: Iterable[RunRecord]) -> Iterator[str]:
    """The recipe that trained methods share, said once each, then every method's own options."""
    members: dict[str, list[RunRecord]] = {}
    for record in done:
        members.setdefault(_name(layout, record), []).append(record)
    recipes: dict[str, list[str]] = {}
    for name, records in members.items():
        recipe = records[0].config.get("recipe")
        if recipe:
            recipes.setdefault(_listed(recipe), []).append(name)
    for recipe, names in recipes.items():
        yield f"Trained with {recipe}: {', '.join(names)}."
    for name, records in members.items():
        options = {k: v for k, v in records[0].config.items() if k != "recipe"}
        shown = [*flatten(options.pop("options", {})), *flatten(options)]
        if shown:
            yield f"{name}: {_listed(dict(shown))}{_chosen(records)}."


def _chosen(records: Iterable[RunRecord]) -> str:
    """What selection kept of each list of candidates, and in how many runs."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        for name, value in record.selected.items():
            if name != "epoch":
                counts.setdefault(name, Counter())[json.dumps(value)] += 1
    shown = [
        f"{name} " + ", ".join(f"{value} in {n} runs" for value, n in sorted(count.items()))
        for name, count in sorted(counts.items())
    ]
    return f" (kept on val: {'; '.join(shown)})" if shown else ""


def _versions(done: Iterable[RunRecord]) -> Iterator[str]:
    """Every version and device that occurs; several of one library are all named."""
    versions: dict[str, set[str]] = {}
    devices: set[str] = set()
    for record in done:
        devices.add(str(record.environment.get("device")))
        for library, version in record.environment.get("versions", {}).items():
            versions.setdefault(library, set()).add(str(version))
    shown = [f"{library} {' and '.join(sorted(versions[library]))}" for library in sorted(versions)]
    if shown:
        yield f"Computed with {', '.join(shown)} on {' and '.join(sorted(devices))}."


def _name(layout: Layout, record: RunRecord) -> str:
    return layout.label(record.method) if record.method in layout.rows else record.method


def _listed(values: Mapping[str, Any]) -> str:
    flat = sorted(flatten(values))
    return ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in flat
    )
