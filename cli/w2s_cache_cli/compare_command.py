"""`w2s-cache compare`: is a method's lead more than luck?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from w2s_cache.errors import RecordError
from w2s_cache.sections import Overrides
from w2s_cache.spec import EvalSplit, Select
from w2s_cache_cli.models import names_options, override_options
from w2s_cache_cli.options import (
    cache_dir_option,
    comma_list,
    domain_option,
    quiet_option,
    read_spec,
    results_dir_option,
    run_seeds_option,
    spec_option,
)
from w2s_cache_cli.outdated_runs import outdated_note
from w2s_cache_cli.records import record_filters, records_of, unrun_line
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.terminal import echo


@click.command()
@click.argument("method")
@click.option(
    "--against",
    multiple=True,
    required=True,
    callback=comma_list,
    help="Baseline or a group of them (without its ceilings); repeat or separate by commas.",
)
@spec_option
@domain_option
@run_seeds_option
@names_options
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
@cache_dir_option
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
    cache_dir: Path,
    quiet: bool,
) -> None:
    """Compare METHOD with baselines on the rows both evaluated.

    Prints the difference of accuracies and the performance gap recovered with 95 % intervals, and
    McNemar's exact test of every run. Needs finished runs of all methods with the same domains and
    seeds: those of --domain and --seeds, else all that any of the methods has.

    \b
    Examples:
      w2s-cache compare cpl --against lp-kd,lp-ce
      w2s-cache compare cpl --against zero-shot --domain sketch --format csv
    """
    import numpy as np

    from w2s_cache.methods import CEILING_METHODS
    from w2s_cache.results import read_predictions
    from w2s_cache.tables.evaluated import load_evaluated
    from w2s_cache.tables.significance import significance
    from w2s_cache.tables.significance_format import render_significance

    spec = with_protocol(read_spec(spec_name), eval_split, select)
    baselines = _baselines(method, against, quiet=quiet)
    methods = (method, *baselines)
    filters = record_filters(spec, domains, seeds, strong, weak)
    filters["method"] = [*methods, *CEILING_METHODS]
    records = records_of(
        spec,
        results_dir,
        filters,
        options,
        overrides,
        cache_dir=cache_dir,
        methods=methods,
        quiet=quiet,
    )
    evaluated = load_evaluated(
        records,
        methods,
        partial(read_predictions, results_dir),
        domains=domains,
        seeds=seeds or (),
    )
    outdated = outdated_note(spec, options, records, cache_dir)
    for note in (unrun_line(spec, filters, records, methods), outdated):
        if note and not quiet:
            echo(note, err=True)
    result = significance(
        evaluated,
        [(method, name) for name in baselines],
        resamples=resamples,
        generator=np.random.default_rng(bootstrap_seed),
    )
    echo(render_significance(replace(result, note=outdated), format_), nl=False)


def _baselines(method: str, against: tuple[str, ...], *, quiet: bool) -> tuple[str, ...]:
    """The methods to compare with; of a group not those that were trained on ground truth.

    Raises:
        RecordError: The method is among them by name, or one is no method but a table's row.
        UnknownNameError: No such method.
    """
    from w2s_cache.methods import CEILING_METHODS, expand_groups, find_method
    from w2s_cache.tables.layout import CEILING

    if CEILING in (method, *against):
        raise RecordError(
            f"{CEILING} cannot be compared",
            expected="a method, whose runs have predictions",
            found="a row of tables: in each column the best of several methods",
            fix=f"Name one of {', '.join(CEILING_METHODS)}.",
        )
    members = [name for name in expand_groups(against) if name != method]
    unfair = [name for name in members if name in CEILING_METHODS and name not in against]
    baselines = tuple(name for name in members if name not in unfair)
    if method in against or not baselines:
        raise RecordError(
            f"{method} cannot be compared with itself",
            expected="other methods in --against",
            found=", ".join(against) or "none",
            fix="Name baselines.",
        )
    for name in (method, *baselines):
        find_method(name)
    if unfair and not quiet:
        shown = ", ".join(unfair)
        echo(f"{shown} left out: trained on ground truth; name them to compare", err=True)
    return baselines
