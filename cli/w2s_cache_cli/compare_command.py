"""`w2s-cache compare`: is a method's lead more than luck?"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from w2s_cache.errors import RecordError
from w2s_cache.sections import Overrides
from w2s_cache.spec import EvalSplit, Select
from w2s_cache_cli.models import override_options
from w2s_cache_cli.options import (
    comma_list,
    domain_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
)
from w2s_cache_cli.records import record_filters, records_of
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.terminal import echo


@click.command()
@click.argument("method")
@click.option(
    "--against",
    multiple=True,
    required=True,
    callback=comma_list,
    help="Baseline or a group of them; repeat or separate by commas.",
)
@spec_option
@domain_option
@seeds_option
@click.option("--strong", help="Strong encoder. Default: the spec's first.")
@click.option("--weak", help="Weak model. Default: the spec's first.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "md", "csv"]),
    default="text",
    show_default=True,
    help="What is printed.",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=100),
    default=10_000,
    show_default=True,
    help="How often images are drawn anew.",
)
@click.option(
    "--bootstrap-seed", default=0, show_default=True, help="Seed of the draws, no seed of a run."
)
@override_options
@settings_options
@results_dir_option
@quiet_option
def command(
    method: str,
    against: tuple[str, ...],
    spec_name: str,
    domains: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: str | None,
    weak: str | None,
    format_: str,
    resamples: int,
    bootstrap_seed: int,
    overrides: Overrides,
    options: dict[str, Any],
    eval_split: EvalSplit | None,
    select: Select | None,
    results_dir: Path,
    quiet: bool,
) -> None:
    """Compare METHOD with baselines on the rows both evaluated.

    Prints the difference of accuracies and the performance gap recovered with 95 % intervals, and
    McNemar's exact test of every run. Needs finished runs of all methods with the same domains and
    seeds.

    \b
    Examples:
      w2s-cache compare cpl --against lp-kd,lp-ce
      w2s-cache compare cpl --against zero-shot --domain sketch --seeds 0-4 --format csv
    """
    import numpy as np

    from w2s_cache.methods import expand_groups, find_method
    from w2s_cache.results import read_predictions
    from w2s_cache.tables.evaluated import load_evaluated
    from w2s_cache.tables.significance import significance
    from w2s_cache.tables.significance_format import render_significance

    if method in against:
        raise RecordError(
            f"{method} cannot be compared with itself",
            expected="other methods in --against",
            found=", ".join(against),
            fix="Name baselines.",
        )
    baselines = tuple(name for name in expand_groups(against) if name != method)
    for name in (method, *baselines):
        find_method(name)
    spec = with_protocol(read_spec(spec_name), eval_split, select)
    filters = record_filters(spec, domains, seeds, strong, weak)
    records = records_of(spec, results_dir, filters, options, overrides, quiet=quiet)
    evaluated = load_evaluated(
        records, (method, *baselines), partial(read_predictions, results_dir)
    )
    result = significance(
        evaluated,
        [(method, name) for name in baselines],
        resamples=resamples,
        generator=np.random.default_rng(bootstrap_seed),
    )
    echo(render_significance(result, format_), nl=False)
