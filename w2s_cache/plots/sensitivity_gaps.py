"""Runs that a figure of one hyper-parameter lacks, with the commands that make them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from w2s_cache.command_line import command_line
from w2s_cache.errors import PlotError
from w2s_cache.results.lacking import Needed, cure, grouped

Scores = dict[float, dict[int, float]]
"""Value → seed → accuracy of one domain."""


def refuse_absent(
    asked: Sequence[Any], found: Collection[Any], kind: str, varied: tuple[str, str]
) -> None:
    """Refuses what is asked for by name and has no run that could be drawn.

    Args:
        asked: Domains or seeds.
        found: Those that have runs.
        kind: ``"domain"`` or ``"seed"``.
        varied: Method and hyper-parameter.

    Raises:
        PlotError: They are named with the command that makes runs.
    """
    absent = [each for each in asked if each not in found]
    if absent:
        method, parameter = varied
        named = {"domain": absent} if kind == "domain" else {"seeds": absent}
        command = command_line("train", method=method, **named, set={parameter: "VALUE"})
        raise PlotError(
            f"there are no runs of {method} to draw with {kind} {', '.join(map(str, absent))}",
            expected=f"runs that differ in {parameter} alone for every {kind} that is asked for",
            found=f"some with {kind} {', '.join(map(str, sorted(found)))}",
            fix=f"Run `{command}` with several values.",
        )


def lacking_notes(
    scores: Mapping[str, Scores],
    values: Sequence[float],
    seeds: Sequence[int],
    varied: tuple[str, str],
) -> Iterator[str]:
    """One sentence per value that lacks runs, with the command that makes them."""
    method, parameter = varied
    for value in values:
        lacking = [
            Needed(method, domain, seed)
            for domain, of_domain in sorted(scores.items())
            for seed in seeds
            if seed not in of_domain.get(value, {})
        ]
        if lacking:
            exact = int(value) if value.is_integer() else value  # some settings are counts
            command = cure(lacking, set={parameter: exact})
            yield f"no run at {parameter}={value:g} of {grouped(lacking)}: `{command}`"
