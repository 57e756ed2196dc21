"""`w2s-cache cache pack`: one file per domain, for sharing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from w2s_cache_cli.cache.selection import selection_options
from w2s_cache_cli.options import cache_dir_option, quiet_option
from w2s_cache_cli.progress import Bars

if TYPE_CHECKING:
    from w2s_cache.cache.selection import Selection


@click.command("pack")
@selection_options
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write into; made when it does not exist.",
)
@click.option("--force", is_flag=True, help="Replace packs that are there.")
@cache_dir_option
@quiet_option
def command(
    selection: Selection,
    output: Path,
    force: bool,
    cache_dir: Path,
    quiet: bool,
) -> None:
    """Write one self-contained HDF5 file per domain and pair of models.

    A pack holds features, logits, text features, paths, labels, split, class names and all that
    the cache knows of them; plain h5py and h5dump read it, see docs/feature-store.md. The same
    cache gives the same bytes. `w2s-cache cache unpack` brings it back into a cache.

    \b
    Examples:
      w2s-cache cache pack --output packs
      w2s-cache cache pack --spec domainnet --domain real,sketch --output packs
    """
    from w2s_cache.cache.inventory import take_inventory
    from w2s_cache.cache.pack import write_pack
    from w2s_cache.cache.pack_layout import pack_name
    from w2s_cache.cache.selection import scope_of
    from w2s_cache.errors import StoreError

    scope = scope_of(take_inventory(cache_dir), selection)
    sizes = {entry.path: entry.bytes for entry in scope.stores}
    bars = Bars(quiet=quiet)
    if not scope.sets:
        raise StoreError(
            f"nothing to pack in {cache_dir}",
            expected="feature sets",
            found="none",
            fix="Run `w2s-cache extract` first, or name another --cache-dir.",
        )
    for entry in scope.sets:
        total = sum(sizes.get(path, 0) for path in entry.needs)
        name = pack_name(entry.found) if entry.found else Path(entry.path).name
        bars.begin(name, total, unit="B")
        write_pack(cache_dir, entry, output / name, replace=force, advance=bars.advance)
        bars.end()
        bars.result(f"{output / name}  {(output / name).stat().st_size / 1e6:,.1f} MB")
