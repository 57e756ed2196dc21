"""The run records that belong to a spec and the options of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.counted import counted
from w2s_cache.errors import RecordError
from w2s_cache.sections import Overrides, strong_section_of
from w2s_cache.spec import Spec
from w2s_cache_cli.known_names import refuse_names_without_runs
from w2s_cache_cli.next_steps import next_step
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.results import RunRecord


def record_filters(
    spec: Spec,
    domains: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: str | None,
    weak: str | None,
) -> dict[str, object]:
    """Record fields with the values the options ask for.

    Models that are not asked for are the spec's first; domains and seeds are all that have runs.
    """
    filters: dict[str, object] = {
        "dataset": spec.name,
        "strong": strong_section_of(spec, strong)[0],
        "weak": weak or next(iter(spec.weak)),
    }
    if seeds:
        filters["seed"] = list(seeds)
    if domains:
        filters["domain"] = list(domains)
    return filters


def records_of(
    spec: Spec,
    results_dir: Path,
    filters: dict[str, Any],
    options: dict[str, Any],
    overrides: Overrides,
    *,
    cache_dir: Path,
    methods: Sequence[str],
    quiet: bool,
) -> list[RunRecord]:
    """Records of the spec's present settings; how many others there are is said aloud.

    They are of the features that the cache holds, where it holds any and there are such records.
    ``methods`` are those that the command is about; records of others are among those returned.

    Raises:
        RecordError: There are none, or no method has a setting that is asked for.
        UnknownNameError: Neither the spec nor a run knows a domain or a model.
    """
    from w2s_cache.results import find_runs
    from w2s_cache.results.lacking import seeds_named

    say_without_setting(spec, methods, options, quiet=quiet)
    refuse_names_without_runs(
        spec,
        results_dir,
        domains=_named(filters, "domain"),
        strong=_named(filters, "strong"),
        weak=_named(filters, "weak"),
    )
    found = find_runs(results_dir, **filters)
    records, others = present_records(
        found, spec, options, overrides, cache_dir=cache_dir, quiet=quiet
    )
    if not records:
        seeds = filters.get("seed", [])
        of_seeds = f" with {seeds_named(seeds)}" if seeds else ""
        raise RecordError(
            f"no runs of spec {spec.name}{of_seeds} in {results_dir}",
            expected="records of the spec's present settings",
            found=others or _other_runs(spec, results_dir, filters),
            fix=f"Run {next_step('train', method=methods, seeds=seeds)} first.",
        )
    return records


def present_records(
    found: Sequence[RunRecord],
    spec: Spec,
    options: Mapping[str, Any],
    overrides: Overrides,
    *,
    cache_dir: Path,
    quiet: bool,
) -> tuple[list[RunRecord], str]:
    """Those of the spec's present settings, and what the others are; where both are, it is said."""
    from w2s_cache.train.held import held_if_readable
    from w2s_cache.train.matching import differing_settings, matching

    held = held_if_readable(cache_dir, found)  # `outdated_note` says what is not
    records = matching(found, spec, options, overrides, held)
    left_out = len(found) - len(records)
    if not left_out:
        return records, ""
    differing = ", ".join(differing_settings(found, spec, options, overrides, held))
    if records and not quiet:
        echo(left_out_line(left_out, differing), err=True)
    return records, f"{left_out} of other settings, differing in {differing}"


def _named(filters: Mapping[str, object], field: str) -> list[str]:
    value = filters.get(field, [])
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _other_runs(spec: Spec, results_dir: Path, filters: Mapping[str, Any]) -> str:
    """What an error found: runs with other seeds, else none or those of other models."""
    from w2s_cache.results import find_runs
    from w2s_cache.results.lacking import seeds_named

    others = {field: value for field, value in filters.items() if field != "seed"}
    seeds = sorted({run.seed for run in find_runs(results_dir, **others)})
    return f"runs with {seeds_named(seeds)}" if seeds else models_with_runs(spec, results_dir)


def models_with_runs(spec: Spec, results_dir: Path) -> str:
    """What an error found where there are no runs: none, or those of other models."""
    from w2s_cache.results import find_runs

    pairs = {(run.strong, run.weak) for run in find_runs(results_dir, dataset=spec.name)}
    shown = ", ".join(f"{strong} and {weak}" for strong, weak in sorted(pairs))
    return f"none; there are runs of {shown}" if pairs else "none"


def unrun_line(
    spec: Spec, filters: dict[str, object], records: Sequence[RunRecord], methods: Sequence[str]
) -> str:
    """What of the spec was not asked for by name and has no runs of these methods, or ``""``."""
    from w2s_cache.results.lacking import seeds_named

    own = [record for record in records if record.method in methods]
    domains = [d for d in spec.data.domains if d not in {record.domain for record in own}]
    done = {record.seed for record in own}
    seeds = [seed for seed in spec.protocol.seeds if seed not in done and "seed" not in filters]
    parts = [", ".join(domains)] if domains and "domain" not in filters else []
    parts += [seeds_named(seeds)] if seeds else []
    return f"not compared, without runs: {'; '.join(parts)}" if own and parts else ""


def left_out_line(count: int, differing: str) -> str:
    """What is said of records that are not of the settings asked for."""
    return f"{counted(count, 'run')} of other settings left out, differing in {differing}"


def say_without_setting(
    spec: Spec, methods: Sequence[str], options: Mapping[str, Any], *, quiet: bool
) -> None:
    """Says which methods have no setting of ``--set``, since they are shown all the same.

    Raises:
        RecordError: None of the methods has it: a misspelt setting would change nothing.
    """
    from w2s_cache.tables.settings import setting_text
    from w2s_cache.train.matching import methods_without

    for name, without in methods_without(spec, methods, options).items() if methods else ():
        if set(without) == set(methods):
            raise RecordError(
                f"no method here has the setting {name}, or this value of it",
                expected=f"a setting of {', '.join(methods)}, as `w2s-cache methods` lists them",
                found=setting_text(name, options[name]),
                fix="Correct --set.",
            )
        if without and not quiet:
            shown = f"{', '.join(without)} {'has' if len(without) == 1 else 'have'}"
            echo(f"{shown} no such setting as {name}, shown as without --set", err=True)
