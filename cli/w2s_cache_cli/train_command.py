"""`w2s-cache train`: cache → run records."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from w2s_cache.spec import EvalSplit, Select, Spec, WeakSpec, choose
from w2s_cache.store.contents import cached_domains
from w2s_cache_cli.extract_command import strong_section_of
from w2s_cache_cli.options import (
    cache_dir_option,
    chosen_domains,
    device_option,
    domain_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
    strong_option,
    weak_option,
)
from w2s_cache_cli.progress import Bars


def _options(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, Any]:
    """``tau=0.1`` or ``tau=[1.0,0.1]`` → {"tau": …}; the right side is JSON or plain text."""
    options: dict[str, Any] = {}
    for item in value:
        name, equals, text = item.partition("=")
        if not equals:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE")
        try:
            options[name] = json.loads(text)
        except json.JSONDecodeError:
            options[name] = text
    return options


@click.command()
@spec_option
@domain_option
@click.option(
    "--method",
    "methods",
    multiple=True,
    help="Method; repeat or separate by commas. Default: the spec's. See `w2s-cache methods`.",
)
@seeds_option
@strong_option
@weak_option
@click.option(
    "--set",
    "options",
    multiple=True,
    callback=_options,
    metavar="NAME=VALUE",
    help="Hyper-parameter, e.g. tau=0.1; a list such as tau=[1,0.1] is selected from on val.",
)
@click.option(
    "--eval-split",
    type=click.Choice(["held-out", "full-test"]),
    help="held-out: the 20% nobody trains on; full-test: the paper's literal reading.",
)
@click.option(
    "--select",
    type=click.Choice(["weak-agreement", "last", "oracle"]),
    help="Which epoch is kept. oracle looks at ground truth and is marked in every table.",
)
@cache_dir_option
@results_dir_option
@device_option
@click.option("--dry-run", is_flag=True, help="Say what would be trained, write nothing.")
@quiet_option
def command(
    spec_name: str,
    domains: tuple[str, ...],
    methods: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: str | None,
    weak: str | None,
    options: dict[str, Any],
    eval_split: EvalSplit | None,
    select: Select | None,
    cache_dir: Path,
    results_dir: Path,
    device: str,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Train methods on cached features; a run that exists is not run again.

    \b
    Examples:
      w2s-cache train --method cpl
      w2s-cache train --method lp-kd,cpl --domain real,sketch --seeds 0-4
      w2s-cache train --method cpl --set tau=0.05
    """
    from w2s_cache.encoders.device import resolve_device
    from w2s_cache.train.study import Study, run_study

    spec = _with_protocol(read_spec(spec_name), eval_split, select)
    strong_name, strong_section = strong_section_of(spec, strong)
    weak_name, weak_section = _weak_section(spec, weak)
    known = spec.data.domains or cached_domains(cache_dir, spec.name)
    study = Study(
        spec=spec,
        strong_name=strong_name,
        strong=strong_section,
        weak_name=weak_name,
        weak=weak_section,
        domains=chosen_domains(spec, domains, known),
        methods=[part for item in methods for part in item.split(",")] or spec.methods,
        seeds=seeds or spec.protocol.seeds,
        options=options,
        device=resolve_device(device),
    )
    total = len(study.domains) * len(study.methods) * len(study.seeds)
    if dry_run:
        click.echo(f"{total} runs: {', '.join(study.methods)} on {', '.join(study.domains)}")
        return
    bars = Bars(quiet=quiet)
    bars.say(f"{total} runs on {study.device}, records in {results_dir}")
    bars.begin("training", total, unit="run")
    for line in _summaries(
        _counted(run_study(study, home=cache_dir, results_dir=results_dir), bars)
    ):
        bars.result(line)
    bars.end()


def _with_protocol(spec: Spec, eval_split: EvalSplit | None, select: Select | None) -> Spec:
    asked = {"eval_split": eval_split, "select": select}
    changed = {name: value for name, value in asked.items() if value is not None}
    return spec.model_copy(update={"protocol": spec.protocol.model_copy(update=changed)})


def _weak_section(spec: Spec, name: str | None) -> tuple[str, WeakSpec | None]:
    """A section of the spec; any other name means logits imported under it."""
    if name is not None and name not in spec.weak:
        return name, None
    return choose("weak model", name, spec.weak)


def _counted(outcomes: Iterable[Any], bars: Bars) -> Iterator[Any]:
    for outcome in outcomes:
        bars.advance(1)
        yield outcome


def _summaries(outcomes: Iterable[Any]) -> Iterator[str]:
    """One line per (domain, method): mean accuracy over seeds, weak accuracy, reuse."""
    for (domain, method), group in groupby(
        outcomes, key=lambda outcome: (outcome.record.domain, outcome.record.method)
    ):
        members = list(group)
        if members[0].record.status != "done":
            yield f"{domain:12} {method:18} n/a: {members[0].record.reason}"
            continue
        values = [100 * member.record.metrics["accuracy"] for member in members]
        weak = [100 * member.record.metrics["weak_accuracy"] for member in members]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        reused = sum(member.reused for member in members)
        note = f", {reused} reused" if reused else ""
        yield (
            f"{domain:12} {method:18} {statistics.mean(values):5.1f}{spread} "
            f"(weak {statistics.mean(weak):.1f}; n={len(values)}{note})"
        )
