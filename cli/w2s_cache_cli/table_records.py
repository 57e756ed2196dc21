"""Which run records a table is made of: those asked for, else the layout's, else the spec's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.command_line import command_line
from w2s_cache.errors import RecordError
from w2s_cache.sections import Overrides, strong_section_of
from w2s_cache.spec import Spec
from w2s_cache_cli.records import models_with_runs, present_records, say_without_setting

if TYPE_CHECKING:
    from w2s_cache.results import RunRecord
    from w2s_cache.tables import Expected, Layout


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The options of `tables` that choose records; empty ones leave the choice to the layout."""

    domains: tuple[str, ...]
    seeds: tuple[int, ...] | None
    strong: tuple[str, ...]
    weak: tuple[str, ...]
    options: Mapping[str, Any]
    overrides: Overrides
    cache_dir: Path
    quiet: bool


def table_records(
    layout: Layout, spec: Spec, asked: Asked, results_dir: Path
) -> tuple[Layout, list[RunRecord], Expected]:
    """What a table is built from: layout with the columns asked for, records, what is expected.

    Expected are the seeds and domains that are asked for, else those of the spec.

    Raises:
        RecordError: There are none.
    """
    from w2s_cache.results import find_runs
    from w2s_cache.tables import Expected

    say_without_setting(spec, layout.methods(), asked.options, quiet=asked.quiet)
    filters = table_filters(layout, spec, asked)
    found = find_runs(results_dir, **filters)
    records, others = present_records(
        found,
        spec,
        asked.options,
        asked.overrides,
        cache_dir=asked.cache_dir,
        quiet=asked.quiet,
    )
    if not records:
        raise RecordError(
            f"no runs of spec {spec.name} in {results_dir} for the table {layout.name}",
            expected=f"records of the spec's present settings with {_shown(filters)}",
            found=others or models_with_runs(spec, results_dir),
            fix=_advice(spec, filters, asked.cache_dir),
        )
    columns = {"domain": asked.domains, "strong": asked.strong, "weak": asked.weak}
    expected = Expected(
        seeds=asked.seeds or spec.protocol.seeds,
        domains=asked.domains or (() if layout.domain else spec.data.domains),
    )
    return layout.narrowed(columns[layout.columns]), records, expected


def table_filters(layout: Layout, spec: Spec, asked: Asked) -> dict[str, Sequence[object]]:
    """The values each field may have; a field without an entry may have any."""
    strong = tuple(strong_section_of(spec, name)[0] for name in asked.strong)
    filters: dict[str, Sequence[object]] = {
        "dataset": (spec.name,),
        "domain": asked.domains or _given(layout.domain),
        "strong": strong or _given(layout.strong),
        "weak": asked.weak or _given(layout.weak),
        "seed": asked.seeds or (),
    }
    defaults = {"strong": next(iter(spec.strong)), "weak": next(iter(spec.weak))}
    for field, name in defaults.items():
        if not filters[field] and field != layout.columns:
            filters[field] = (name,)
    return {field: values for field, values in filters.items() if values}


def other_models(spec: Spec, filters: Mapping[str, Sequence[object]]) -> dict[str, object]:
    """The one strong and the one weak model of a table, where that is not the spec's first."""
    first = {"strong": next(iter(spec.strong)), "weak": next(iter(spec.weak))}
    chosen = {name: filters.get(name, ()) for name in first}
    return {n: v[0] for n, v in chosen.items() if len(v) == 1 and v[0] != first[n]}


def _advice(spec: Spec, filters: Mapping[str, Sequence[object]], home: Path) -> str:
    """The command that makes the runs, unless a layout names what this spec cannot train on."""
    from w2s_cache.store.contents import cached_pairs

    pairs = cached_pairs(home, spec.name)
    known = {
        "strong": {*spec.strong, *(strong for strong, _ in pairs)},
        "weak": {*spec.weak, *(weak for _, weak in pairs)},
        "domain": {*spec.data.domains} or None,
    }
    kinds = {"strong": "strong encoder", "weak": "weak model", "domain": "domain"}
    unknown = [
        f"no {kinds[field]} {value}"
        for field, names in known.items()
        for value in filters.get(field, ())
        if names is not None and value not in names
    ]
    if unknown:
        lacks = " and ".join(unknown)
        return (
            f"Spec {spec.name} has {lacks}: choose others with --domain, --strong and --weak, or "
            "another --spec."
        )
    command = command_line("train", **other_models(spec, filters))
    return f"Run `{command}` first, or choose others with --domain, --strong and --weak."


def _given(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def _shown(filters: Mapping[str, Sequence[object]]) -> str:
    return ", ".join(f"{field} {' or '.join(map(str, v))}" for field, v in filters.items())
