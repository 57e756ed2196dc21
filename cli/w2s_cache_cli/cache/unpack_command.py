"""`w2s-cache cache unpack`: packed domains back into a cache."""

from __future__ import annotations

from pathlib import Path

import click

from w2s_cache_cli.options import cache_dir_option, quiet_option
from w2s_cache_cli.progress import Bars


@click.command("unpack")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--force", is_flag=True, help="Replace other feature sets of the same names.")
@cache_dir_option
@quiet_option
def command(files: tuple[Path, ...], force: bool, cache_dir: Path, quiet: bool) -> None:
    """Put packed domains into the cache, verified, so that `w2s-cache train` finds them.

    Stores, index and feature set come out byte for byte as they were packed. What the cache holds
    already stays; a domain with other images, or other features of the same names, is refused.

    \b
    Example:
      w2s-cache cache unpack packs/*.h5
    """
    from w2s_cache.cache.unpack import unpack

    bars = Bars(quiet=quiet)
    for file in files:
        size = file.stat().st_size if file.is_file() else None
        bars.begin(file.name, size, unit="B")
        found = unpack(file, cache_dir, replace=force, say=bars.say, advance=bars.advance)
        bars.end()
        bars.result(f"{file}: in {found}")
