"""`w2s-cache ls`: what is cached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from w2s_cache.counted import counted
from w2s_cache_cli.options import cache_dir_option
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.store.contents import StoreEntry


@click.command()
@cache_dir_option
def command(cache_dir: Path) -> None:
    """List every store: rows, width, size, when it was made, key and path."""
    from w2s_cache.store.contents import list_stores

    entries = list(list_stores(cache_dir))
    for entry in entries:
        echo(_line(entry))
    total = sum(entry.bytes for entry in entries)
    echo(f"{counted(len(entries), 'store')}, {total / 1e6:,.1f} MB in {cache_dir}", err=True)
    if not entries:
        echo(_nothing(cache_dir), err=True)


def _nothing(home: Path) -> str:
    """Why the list is empty and what to do."""
    why = "nothing is cached there yet" if home.exists() else "there is no such folder yet"
    return f"{why}: run `w2s-cache extract`, or name another --cache-dir (or W2S_CACHE_HOME)."


def _line(entry: StoreEntry) -> str:
    manifest = entry.manifest
    if manifest is None:
        return f"BROKEN {entry.path}: {entry.problem}"
    arrays = " ".join(
        f"{spec.name}:{'x'.join(map(str, spec.row_shape))}:{spec.dtype}" for spec in manifest.arrays
    )
    state = "" if manifest.complete else f" INCOMPLETE {manifest.stored_rows:,} of"
    return (
        f"{manifest.kind:7}{state} {counted(manifest.rows, 'row'):>14}  {arrays:44} "
        f"{entry.bytes / 1e6:9.1f} MB"
        f"  {manifest.created[:16]}  {manifest.key_digest[:12]}  {entry.path}"
    )
