"""Nothing is removed that was not shown and agreed to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from w2s_cache.counted import counted
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.cache.removal import Plan

yes_option = click.option("--yes", "-y", is_flag=True, help="Remove without asking.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Show what would be removed and what not; remove nothing."
)


def remove_planned(
    home: Path, plan: Callable[[], Plan], *, yes: bool, dry_run: bool, quiet: bool
) -> int:
    """Shows a plan, asks, and carries it out.

    Args:
        home: The cache home.
        plan: Makes the plan; called again after the answer, for what has changed meanwhile stays.
        yes: Whether not to ask.
        dry_run: Whether to stop after showing.
        quiet: Whether to say nothing of what is kept and of progress.

    Returns:
        The exit code: 1 when an answer was needed and there is nobody to give it.

    Raises:
        StoreError: Somebody began to write there, or a link leads out of the home.
        StoreWriteError: The file system refuses.
    """
    from w2s_cache.cache.removal import carry_out

    shown = plan()
    _show(shown, quiet=quiet)
    if not shown.remove or dry_run:
        echo(f"{_total(shown)} would be removed" if shown.remove else "nothing to remove")
        return 0
    if not yes:
        if not sys.stdin.isatty():
            echo(f"Error: nothing was removed: {_total(shown)} need --yes", err=True)
            return 1
        if not click.confirm(f"Remove {_total(shown)}?"):
            echo("nothing was removed")
            return 0
    agreed = shown.still(plan())
    bars = Bars(quiet=quiet)
    bars.begin("removing", agreed.bytes, unit="B")
    carry_out(home, agreed, advance=bars.advance)
    bars.end()
    echo(f"{_total(agreed)} removed")
    return 0


def _show(plan: Plan, *, quiet: bool) -> None:
    for removal in plan.remove:
        size = f"{removal.bytes / 1e6:,.1f} MB"
        echo(f"{removal.kind:18} {size:>12}  {removal.path}  ({removal.why})")
    for kept in () if quiet else plan.keep:
        echo(f"kept: {kept.path} ({kept.why})", err=True)


def _total(plan: Plan) -> str:
    return f"{counted(len(plan.remove), 'item')}, {plan.bytes / 1e6:,.1f} MB ({plan.bytes:,} bytes)"
