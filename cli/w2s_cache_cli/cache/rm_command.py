"""`w2s-cache cache rm`: what a person names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from w2s_cache_cli.cache.confirm import dry_run_option, remove_planned, yes_option
from w2s_cache_cli.cache.selection import selection_options
from w2s_cache_cli.options import cache_dir_option, quiet_option

if TYPE_CHECKING:
    from w2s_cache.cache.removal import Plan
    from w2s_cache.cache.selection import Selection


@click.command("rm")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@selection_options
@dry_run_option
@yes_option
@cache_dir_option
@quiet_option
def command(
    paths: tuple[Path, ...],
    selection: Selection,
    dry_run: bool,
    yes: bool,
    cache_dir: Path,
    quiet: bool,
) -> None:
    """Remove feature sets and the stores that only they need.

    Feature sets are chosen by name (--dataset, --domain, --strong, --weak) or as PATH below the
    cache: a feature set's file, a store, a weak model, or a folder that holds some. What another
    feature set still needs is kept, and that is said; where it was named itself, that is an error
    and nothing goes. The list is shown before anything goes; without a terminal, --yes is needed.

    \b
    Examples:
      w2s-cache cache rm --dataset pocket --domain real --weak tiny --dry-run
      w2s-cache cache rm v1/pocket/real
    """
    from w2s_cache.cache.boundary import below
    from w2s_cache.cache.inventory import take_inventory
    from w2s_cache.cache.selected_removal import named_below, plan_removal
    from w2s_cache.cache.selection import selected_sets

    if not paths and selection.everything:
        raise click.UsageError("name a PATH, or choose with --dataset, --domain, --strong, --weak")
    if paths and not selection.everything:
        raise click.UsageError("name PATHs or choose by name, not both at once")

    def plan() -> Plan:
        inventory = take_inventory(cache_dir)
        sets = () if paths else selected_sets(inventory, selection)
        inside = [below(cache_dir, path) for path in paths]
        return plan_removal(inventory, named_below(inventory, inside, sets))

    sys.exit(remove_planned(cache_dir, plan, yes=yes, dry_run=dry_run, quiet=quiet))
