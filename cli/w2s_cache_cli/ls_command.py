"""`w2s-cache ls`: what is cached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """List every store: rows, size, day it was made, skipped images and path.

    Of an unfinished store it is said how many of its rows are there; broken ones stand last.
    The path is that below the cache, for `w2s-cache inspect`, which tells the rest; it ends in the
    first digits of the key's digest, for `w2s-cache cache diff`.
    """
    from w2s_cache.store.contents import list_stores

    entries = list(list_stores(cache_dir))
    for line in _lines(entries, cache_dir):
        echo(line)
    total = sum(entry.bytes for entry in entries)
    echo(f"{counted(len(entries), 'store')}, {total / 1e6:,.1f} MB in {cache_dir}", err=True)
    if not entries:
        echo(_nothing(cache_dir), err=True)


def _nothing(home: Path) -> str:
    """Why the list is empty and what to do."""
    why = "nothing is cached there yet" if home.exists() else "there is no such folder yet"
    return f"{why}: run `w2s-cache extract`, or name another --cache-dir (or W2S_CACHE_HOME)."


def _lines(entries: Sequence[StoreEntry], home: Path) -> Iterator[str]:
    """One line per store, columns as wide as they must be; broken stores stand last."""
    from w2s_cache.errors import StoreError

    whole, broken = [], []
    for entry in entries:
        try:
            whole.append(_columns(entry, home))
        except StoreError as error:
            broken.append(f"BROKEN {entry.path}: {entry.problem or error}")
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    for *columns, path in whole:
        shown = [text.rjust(width) for text, width in zip(columns, widths, strict=False) if width]
        yield "  ".join([*shown, path])
    yield from broken


def _columns(entry: StoreEntry, home: Path) -> tuple[str, ...]:
    """Rows, size, day, skipped images and path.

    Raises:
        StoreError: The store's manifest or list of skipped images cannot be read.
    """
    from w2s_cache.store.failures import in_force
    from w2s_cache.store.reader import read_manifest

    manifest = entry.manifest or read_manifest(home / entry.path)
    skipped = len(in_force(home / entry.path, manifest))
    rows = ("" if manifest.complete else f"{manifest.stored_rows:,} of ") + counted(
        manifest.rows, "row"
    )
    left_out = f"{skipped:,} skipped" if skipped else ""
    size, day = f"{entry.bytes / 1e6:,.1f} MB", manifest.created[:10]
    return rows, size, day, left_out, entry.path
