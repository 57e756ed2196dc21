"""`w2s-cache train`: cache → run records."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from w2s_cache.errors import StoreError
from w2s_cache.spec import EvalSplit, Precision, Select, Spec
from w2s_cache_cli.models import Models, chosen_models, model_options
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
from w2s_cache_cli.settings import settings_options, with_protocol


@click.command()
@spec_option
@domain_option
@method_option
@seeds_option
@model_options
@settings_options
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
    from w2s_cache.store.contents import cached_domains
    from w2s_cache.train.study import Study, check_names, run_study

    spec = with_protocol(read_spec(spec_name), eval_split, select)
    models = chosen_models(
        spec,
        strong=strong,
        weak=weak,
        precision=precision,
        strong_checkpoint=strong_checkpoint,
        weak_checkpoint=weak_checkpoint,
    )
    bars = Bars(quiet=quiet)
    extracted = cached_domains(
        cache_dir, spec.name, strong=models.strong_name, weak=models.weak_name
    )
    study = Study(
        spec=spec,
        strong_name=models.strong_name,
        strong=models.strong,
        weak_name=models.weak_name,
        weak=models.weak,
        domains=_domains(spec, models, domains, extracted, bars),
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
    bars.say(f"{total} runs on {study.device}, records in {results_dir}")
    bars.begin("training", total, unit="run")
    for line in _summaries(
        _counted(run_study(study, home=cache_dir, results_dir=results_dir), bars)
    ):
        bars.result(line)
    bars.end()


def _domains(
    spec: Spec, models: Models, asked: tuple[str, ...], extracted: tuple[str, ...], bars: Bars
) -> tuple[str, ...]:
    """The domains asked for, else all that were extracted; those left out are said aloud.

    Raises:
        UnknownNameError: A domain the data set does not have.
        StoreError: Nothing was extracted for this pair of models.
    """
    known = spec.data.domains or extracted
    if asked:
        return chosen_domains(spec, asked, known)
    if not extracted:
        raise StoreError(
            f"no features of {models.strong_name} and {models.weak_name} on {spec.name}",
            expected="at least one extracted domain",
            found="none",
            fix="Run `w2s-cache extract` with the same --spec and models first.",
        )
    absent = [domain for domain in known if domain not in extracted]
    if absent:
        bars.say(f"not extracted, left out: {', '.join(absent)}")
    return tuple(domain for domain in known if domain in extracted)


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
