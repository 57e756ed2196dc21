"""`w2s-cache cache gc`: what nothing needs any more."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import click

from w2s_cache_cli.cache.confirm import dry_run_option, remove_planned, yes_option
from w2s_cache_cli.options import cache_dir_option, quiet_option


@click.command("gc")
@click.option(
    "--unfinished",
    is_flag=True,
    help="Remove incomplete stores too, which the same `extract` would go on from.",
)
@click.option(
    "--min-age",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="MINUTES",
    help="Keep what was written within this time: an extraction may be about to refer to it.",
)
@dry_run_option
@yes_option
@cache_dir_option
@quiet_option
def command(
    unfinished: bool, min_age: float, dry_run: bool, yes: bool, cache_dir: Path, quiet: bool
) -> None:
    """Remove orphans: what no feature set of any request needs.

    Removed are stores and weak models that nothing refers to, temporary files, shards that no
    manifest lists, and the index of a domain without features. A domain into which somebody writes,
    with an unfinished extraction, or with an unreadable feature set is left alone. The list is
    shown before anything goes; without a terminal, --yes is needed.

    \b
    Examples:
      w2s-cache cache gc --dry-run
      w2s-cache cache gc --yes
    """
    from w2s_cache.cache.orphans import GcRules, plan_gc

    rules = GcRules(min_age=min_age * 60, unfinished=unfinished)
    plan = functools.partial(plan_gc, cache_dir, rules)
    sys.exit(remove_planned(cache_dir, plan, yes=yes, dry_run=dry_run, quiet=quiet))
