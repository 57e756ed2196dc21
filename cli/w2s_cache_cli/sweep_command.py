"""`w2s-cache sweep`: the whole grid of a spec, whatever of it is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from w2s_cache.spec import EvalSplit, Select
from w2s_cache_cli.models import chosen_models
from w2s_cache_cli.options import (
    cache_dir_option,
    comma_list,
    device_option,
    domain_option,
    memory_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
)
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.training import make_study, run_studies

Command = TypeVar("Command", bound=Callable[..., Any])


def _several(name: str, what: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{name}",
        multiple=True,
        callback=comma_list,
        help=f"{what}; repeat or separate by commas. Default: the spec's first.",
    )


@click.command()
@spec_option
@click.option(
    "--method",
    "--methods",
    "methods",
    multiple=True,
    callback=comma_list,
    help="Methods or groups of them (paper, calibrated, grid, beyond, all); repeat or separate by "
    "commas. Default: the spec's sweep.",
)
@domain_option
@seeds_option
@_several("strong", "Strong encoders")
@_several("weak", "Weak models")
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
    methods: tuple[str, ...],
    domains: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: tuple[str, ...],
    weak: tuple[str, ...],
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
    """Train every method on every domain with every seed; runs that exist are not run again.

    \b
    Examples:
      w2s-cache sweep
      w2s-cache sweep --methods paper,beyond --seeds 0-4
      w2s-cache sweep --spec domainnet --strong vit-b-32,vit-b-16 --domain clipart
    """
    spec = with_protocol(read_spec(spec_name), eval_split, select)
    bars = Bars(quiet=quiet)
    studies = [
        make_study(
            spec,
            chosen_models(
                spec,
                strong=strong_name,
                weak=weak_name,
                precision=None,
                decoder=None,
                strong_checkpoint=None,
                weak_checkpoint=None,
            ),
            bars,
            domains=domains,
            methods=methods or spec.sweep.methods or spec.methods,
            seeds=seeds or spec.sweep.seeds or spec.protocol.seeds,
            options=options,
            device=device,
            memory=memory,
            curves=curves,
            cache_dir=cache_dir,
        )
        for strong_name in strong or (None,)
        for weak_name in weak or (None,)
    ]
    run_studies(studies, bars, cache_dir=cache_dir, results_dir=results_dir, dry_run=dry_run)
