"""`w2s-cache train`: cache → run records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from w2s_cache.spec import Decoder, EvalSplit, Precision, Select
from w2s_cache_cli.models import chosen_models, model_options
from w2s_cache_cli.options import (
    cache_dir_option,
    device_option,
    domain_option,
    memory_option,
    method_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
)
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.training import make_study, run_studies


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
@memory_option
@click.option("--curves", is_flag=True, help="Record accuracies at every epoch, for figures.")
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
    decoder: Decoder | None,
    strong_checkpoint: str | None,
    weak_checkpoint: str | None,
    options: dict[str, Any],
    eval_split: EvalSplit | None,
    select: Select | None,
    cache_dir: Path,
    results_dir: Path,
    device: str,
    memory: int | None,
    curves: bool,
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
    spec = with_protocol(read_spec(spec_name), eval_split, select)
    models = chosen_models(
        spec,
        strong=strong,
        weak=weak,
        precision=precision,
        decoder=decoder,
        strong_checkpoint=strong_checkpoint,
        weak_checkpoint=weak_checkpoint,
    )
    bars = Bars(quiet=quiet)
    study = make_study(
        spec,
        models,
        bars,
        domains=domains,
        methods=methods or spec.methods,
        seeds=seeds or spec.protocol.seeds,
        options=options,
        device=device,
        memory=memory,
        curves=curves,
        cache_dir=cache_dir,
    )
    run_studies([study], bars, cache_dir=cache_dir, results_dir=results_dir, dry_run=dry_run)
