"""`w2s-cache inspect`: artifacts, described and checked."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from w2s_cache_cli.options import cache_dir_option
from w2s_cache_cli.terminal import echo

_SOUND = "all laws hold"


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@cache_dir_option
def command(path: Path, cache_dir: Path) -> None:
    """Print the header of a store or a run and list every law it breaks.

    PATH is the folder of a store (see `w2s-cache ls`; it may be relative to the cache) or of a run.
    Of a folder that holds several, such as all results, every one is checked and the broken ones
    are listed. The verdict is the last line; exit code 1 when a law is broken.
    """
    from w2s_cache.results.run_directory import RECORD_FILE
    from w2s_cache.store.layout import MANIFEST_FILE

    folder = _found(path, cache_dir)
    inside = {file.parent for name in (RECORD_FILE, MANIFEST_FILE) for file in folder.rglob(name)}
    if inside and folder not in inside:
        sys.exit(_several(folder, sorted(inside)))
    broken = _described(folder)
    for line in broken or [_SOUND]:
        echo(line)
    sys.exit(1 if broken else 0)


def _found(path: Path, cache_dir: Path) -> Path:
    """The folder meant by a path as given, else below the cache home.

    Raises:
        click.BadParameter: Neither exists.
    """
    for candidate in (path, cache_dir / path):
        if candidate.exists():
            return candidate if candidate.is_dir() else candidate.parent
    raise click.BadParameter(f"{path} exists neither here nor in {cache_dir}", param_hint="PATH")


def _described(folder: Path) -> list[str]:
    """Prints what an artifact says of itself; returns a line for each law it breaks."""
    from w2s_cache.results.run_directory import RECORD_FILE
    from w2s_cache.store.reader import read_manifest

    if (folder / RECORD_FILE).is_file():
        echo((folder / RECORD_FILE).read_text(encoding="utf-8").rstrip())
    else:
        manifest = read_manifest(folder)
        shown = {**asdict(manifest), "key_digest": manifest.key_digest}
        echo(json.dumps(shown, indent=1))
    return _broken(folder)


def _broken(folder: Path) -> list[str]:
    from w2s_cache.results import check_run
    from w2s_cache.results.run_directory import RECORD_FILE
    from w2s_cache.store.check import check_store

    if (folder / RECORD_FILE).is_file():
        return [f"{item.law}: {item.message}" for item in check_run(folder)]
    return [f"{item.law}: {item.message}" for item in check_store(folder)]


def _several(folder: Path, artifacts: list[Path]) -> int:
    """Checks every artifact; prints a line for each broken one, then a count; the exit code."""
    count = 0
    for artifact in artifacts:
        if broken := _broken(artifact):
            count += 1
            more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
            echo(f"{artifact.relative_to(folder)}: {broken[0]}{more}")
    verdict = f"{count} broken" if count else _SOUND
    echo(f"{len(artifacts)} stores and runs checked: {verdict}")
    return 1 if count else 0
