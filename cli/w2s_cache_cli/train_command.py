"""`w2s-cache train`: cache → run records."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from w2s_cache.errors import StoreError
from w2s_cache.spec import EvalSplit, Precision, Select, Spec
from w2s_cache_cli.models import chosen_models, model_options
from w2s_cache_cli.options import (
    cache_dir_option,
    chosen_domains,
    device_option,
    domain_option,
    method_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
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
@method_option
@seeds_option
@model_options
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
    precision: Precision | None,
    strong_checkpoint: str | None,
    weak_checkpoint: str | None,
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
    from w2s_cache.train.study import Study, check_names, run_study

    spec = _with_protocol(read_spec(spec_name), eval_split, select)
    models = chosen_models(
        spec,
        strong=strong,
        weak=weak,
        precision=precision,
        strong_checkpoint=strong_checkpoint,
        weak_checkpoint=weak_checkpoint,
    )
    study = Study(
        spec=spec,
        strong_name=models.strong_name,
        strong=models.strong,
        weak_name=models.weak_name,
        weak=models.weak,
        domains=chosen_domains(spec, domains, _known_domains(spec, spec_name, cache_dir)),
        methods=methods or spec.methods,
        seeds=seeds or spec.protocol.seeds,
        options=options,
        device=resolve_device(device),
    )
    check_names(study)
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


def _known_domains(spec: Spec, spec_name: str, cache_dir: Path) -> tuple[str, ...]:
    """The domains the spec names, or, where it names none, those that were extracted.

    Raises:
        StoreError: Nothing of this data set was extracted.
    """
    from w2s_cache.store.contents import cached_domains

    known = spec.data.domains or cached_domains(cache_dir, spec.name)
    if not known:
        raise StoreError(
            f"no features of {spec.name}",
            expected=f"feature sets below {cache_dir}",
            found="none",
            fix=f"Run `w2s-cache extract --spec {spec_name}` first.",
        )
    return known


def _with_protocol(spec: Spec, eval_split: EvalSplit | None, select: Select | None) -> Spec:
    asked = {"eval_split": eval_split, "select": select}
    changed = {name: value for name, value in asked.items() if value is not None}
    return spec.model_copy(update={"protocol": spec.protocol.model_copy(update=changed)})


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
