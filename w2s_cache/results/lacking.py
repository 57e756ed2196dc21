"""Runs that are needed and not there: named in groups, with the one command that makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from w2s_cache.command_line import command_line, number_ranges
from w2s_cache.errors import RecordError
from w2s_cache.results.record import RunRecord


class Needed(NamedTuple):
    """One run by what tells it from others of the same spec and models."""

    method: str
    domain: str
    seed: int


def refuse_lacking(
    records: Iterable[RunRecord],
    *,
    methods: Sequence[str],
    domains: Sequence[str],
    seeds: Sequence[int],
    curves: bool = False,
) -> None:
    """Refuses to work with some of what is needed.

    Args:
        records: Those that were found, of one pair of models.
        methods: Every one of these is needed,
        domains: on every one of these,
        seeds: with every one of these.
        curves: Whether the command that makes runs is to keep their accuracies by epoch.

    Raises:
        RecordError: A done run is not there; all such are named with the command that makes them,
            a method that is not applicable with its reason.
    """
    found = {Needed(r.method, r.domain, r.seed): r for r in records}
    wanted = [Needed(*each) for each in product(methods, domains, seeds)]
    lacking = [each for each in wanted if each not in found or found[each].status != "done"]
    if not lacking and wanted:
        return
    reasons = {each: found[each].reason for each in lacking if each in found}
    new = [each for each in lacking if each not in reasons]
    refused = dict.fromkeys(f"{each.method} ({why})" for each, why in reasons.items())
    told = [f"no run of {grouped(new)}"] if new else []
    told += [f"not applicable: {', '.join(refused)}"] if refused else []
    command = cure(new, curves=curves) if wanted else command_line("train", method=methods)
    fix = f"Run `{command}`" if new or not wanted else "Leave out what is not applicable"
    raise RecordError(
        "runs that are asked for are not there",
        expected="a finished run of every method on every domain with every seed",
        found=" and ".join(told) or "no run at all",
        fix=f"{fix}, or ask for fewer methods, domains or seeds.",
    )


def cure(lacking: Iterable[Needed], **options: object) -> str:
    """The command that makes these runs; those of its combinations that exist are not run again.

    Args:
        lacking: The runs.
        **options: What else the command is given, as :func:`command_line` takes it.
    """
    lacking = tuple(lacking)
    return command_line(
        "train",
        method=tuple(dict.fromkeys(each.method for each in lacking)),
        domain=tuple(dict.fromkeys(each.domain for each in lacking)),
        seeds=sorted({each.seed for each in lacking}),
        **options,
    )


def grouped(lacking: Iterable[Needed]) -> str:
    """``lp-kd, cpl on real, sketch with seeds 3-4``, one such group for each pattern."""
    groups: dict[tuple[tuple[str, ...], tuple[int, ...]], list[str]] = {}
    by_method: dict[str, dict[str, list[int]]] = {}
    for each in lacking:
        by_method.setdefault(each.method, {}).setdefault(each.domain, []).append(each.seed)
    for method, domains in by_method.items():
        for place in _alike(domains):
            groups.setdefault(place, []).append(method)
    return "; ".join(
        f"{', '.join(methods)} on {', '.join(domains)} with {seeds_named(seeds)}"
        for (domains, seeds), methods in groups.items()
    )


def seeds_named(seeds: Sequence[int]) -> str:
    """``seed 3`` or ``seeds 3-4,7``."""
    return f"seed{'s' * (len(seeds) > 1)} {number_ranges(seeds)}"


def _alike(domains: dict[str, list[int]]) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Domains that lack the same seeds, together."""
    by_seeds: dict[tuple[int, ...], list[str]] = {}
    for domain, seeds in domains.items():
        by_seeds.setdefault(tuple(sorted(seeds)), []).append(domain)
    yield from ((tuple(names), seeds) for seeds, names in by_seeds.items())
