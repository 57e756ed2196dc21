"""`w2s-cache cache verify`: does every byte still say what was written?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from w2s_cache.counted import counted
from w2s_cache.sections import Overrides
from w2s_cache_cli.cache.selection import asked_spec, selection_options
from w2s_cache_cli.capped import capped, max_findings_option
from w2s_cache_cli.models import override_options
from w2s_cache_cli.next_steps import completed
from w2s_cache_cli.options import (
    cache_dir_option,
    device_option,
    quiet_option,
    read_spec,
    root_option,
)
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.cache.finding import Checked
    from w2s_cache.cache.selection import Selection

_NAMED = ("--spec", "--domain", "--strong", "--weak")
"""What the remedies of findings name themselves, each for its own artifact."""


@click.command("verify")
@selection_options
@click.option(
    "--recompute",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also compute N random rows of each domain again, from the images below --root and with "
    "the models of --spec, which must be given.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the random rows.")
@click.option(
    "--min-cosine",
    type=click.FloatRange(max=1),
    default=0.999,
    show_default=True,
    help="The cosine between stored and computed rows below which verifying fails.",
)
@root_option
@max_findings_option
@device_option
@override_options
@cache_dir_option
@quiet_option
def command(
    selection: Selection,
    recompute: int | None,
    seed: int,
    min_cosine: float,
    root: str | None,
    max_findings: int,
    device: str,
    overrides: Overrides,
    cache_dir: Path,
    quiet: bool,
) -> None:
    """Read every byte of the cache, or of a part of it, and check all laws.

    Every shard is read once, hashed and opened by plain HDF5; indexes, weak models and feature sets
    are checked too, and whether all of a feature set fits together. A line names each law that is
    broken and what to do. Lines with "note" are no errors but worth a look: rows of one number,
    odd norms, rows that repeat others. Exit code 1 when a law is broken.

    --recompute, which needs --spec, also compares rows with what the models make of the images now.
    --root, --device, --seed, --min-cosine and what is said of the models serve it alone.

    \b
    Examples:
      w2s-cache cache verify
      w2s-cache cache verify --spec domainnet --recompute 20 --root /data/dn
    """
    from w2s_cache.cache.inventory import take_inventory
    from w2s_cache.cache.selection import scope_of
    from w2s_cache.cache.verify import verify

    spec_name = asked_spec()
    if recompute and not spec_name:
        raise click.UsageError(
            "--recompute needs --spec, the name or file of the spec whose models made the rows, "
            f"e.g. `w2s-cache cache verify --spec pocket --recompute {recompute}`"
        )
    bars = Bars(quiet=quiet)
    scope = scope_of(take_inventory(cache_dir), selection)
    bars.begin("verifying", scope.bytes, unit="B")
    artifacts = broken = 0
    for checked in verify(scope, advance=bars.advance):
        artifacts += 1
        broken += bool(checked.findings)
        _report(checked, bars, max_findings, quiet=quiet)
    bars.end()
    if not artifacts:
        echo(
            f"nothing is cached in {cache_dir}: run `w2s-cache extract`, or name another "
            "--cache-dir",
            err=True,
        )
    if recompute and spec_name and not broken:
        from w2s_cache_cli.cache.recomputed import Means, recomputed

        means = Means(
            rows=recompute,
            seed=seed,
            min_cosine=min_cosine,
            root=root,
            device=device,
            home=cache_dir,
            overrides=overrides,
        )
        broken += recomputed(read_spec(spec_name), selection, means, bars)
    verdict = f"{broken} broken" if broken else "all laws hold"
    echo(f"{counted(artifacts, 'artifact')}, {scope.bytes / 1e6:,.1f} MB of shards read: {verdict}")
    sys.exit(1 if broken else 0)


def _report(checked: Checked, bars: Bars, limit: int, *, quiet: bool) -> None:
    lines = [f"{checked.path}: {finding}" for finding in checked.findings]
    for line in capped(lines, limit):
        bars.result(completed(line, but=_NAMED))
    for note in () if quiet else checked.notes:
        bars.result(completed(f"{checked.path}: note: {note}", but=_NAMED))
