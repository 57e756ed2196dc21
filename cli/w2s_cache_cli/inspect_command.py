"""`w2s-cache inspect`: one artifact, described and checked."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
def command(path: Path) -> None:
    """Print the header of a store or a run and list every law it breaks.

    PATH is the folder of a store (see `w2s-cache ls`) or of a run. Exit code 1 when a law is
    broken.
    """
    from w2s_cache.results import check_run
    from w2s_cache.results.run_directory import RECORD_FILE
    from w2s_cache.store.check import check_store
    from w2s_cache.store.reader import read_manifest

    folder = path if path.is_dir() else path.parent
    if (folder / RECORD_FILE).is_file():
        click.echo((folder / RECORD_FILE).read_text(encoding="utf-8").rstrip())
        broken = [f"{item.law}: {item.message}" for item in check_run(folder)]
    else:
        manifest = read_manifest(folder)
        shown = {**asdict(manifest), "key_digest": manifest.key_digest}
        click.echo(json.dumps(shown, indent=1))
        broken = [f"{item.law}: {item.message}" for item in check_store(folder)]
    for line in broken or ["all laws hold"]:
        click.echo(line, err=True)
    sys.exit(1 if broken else 0)
