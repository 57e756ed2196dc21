"""`w2s-cache inspect`: artifacts, described and checked."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from w2s_cache.counted import counted
from w2s_cache.errors import StoreError
from w2s_cache_cli.capped import capped, max_findings_option
from w2s_cache_cli.options import cache_dir_option
from w2s_cache_cli.terminal import echo

_SOUND = "all laws hold"
_SHOWN_SHARDS = 6


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Print every shard of the header and every finding.")
@max_findings_option
@cache_dir_option
def command(path: Path, full: bool, max_findings: int, cache_dir: Path) -> None:
    """Print the header of a store or a run and list every law it breaks.

    PATH is the folder of a store (see `w2s-cache ls`; it may be relative to the cache) or of a run.
    Of a folder that holds several, such as all results, every one is checked and the broken ones
    are listed. The verdict is the last line; exit code 1 when a law is broken.

    \b
    Examples:
      w2s-cache inspect v1/pocket/real
      w2s-cache inspect results
    """
    from w2s_cache.results.run_directory import RECORD_FILE
    from w2s_cache.store.layout import MANIFEST_FILE

    folder = _found(path, cache_dir)
    inside = {file.parent for name in (RECORD_FILE, MANIFEST_FILE) for file in folder.rglob(name)}
    if not inside:
        raise _neither(folder)
    if folder not in inside:
        sys.exit(_several(folder, sorted(inside), None if full else max_findings))
    broken = _described(folder, full=full)
    for line in (broken if full else capped(broken, max_findings)) or [_SOUND]:
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


def _neither(folder: Path) -> StoreError:
    """The refusal of a folder that is and holds neither a store nor a run."""
    entries = sorted(folder.iterdir())
    names = ", ".join(entry.name for entry in entries[:3])
    found = (
        f"{counted(len(entries), 'other entry', 'other entries')}, such as {names}"
        if entries
        else "an empty folder"
    )
    fix = "See `w2s-cache ls` for the stores of the cache; runs are below the results folder."
    kinds = {"weak.json": "a fine-tuned weak model", "index.parquet": "a domain without stores"}
    for name, kind in kinds.items():
        if (folder / name).is_file():
            found, fix = kind, "Check it, with all that is cached, by `w2s-cache cache verify`."
    if any(entry.match("part-*.h5") for entry in entries):
        found, fix = "shards without a manifest", "Run `w2s-cache extract` again: it begins anew."
    if folder.name == "sets" and any(entry.suffix == ".json" for entry in entries):
        found, fix = "feature sets", "Check them by `w2s-cache cache verify`."
    return StoreError(
        f"{folder} is no store and no run, and holds none",
        expected="a folder with a manifest.json or record.json, in it or below",
        found=found,
        fix=fix,
    )


def _described(folder: Path, *, full: bool) -> list[str]:
    """Prints what an artifact says of itself; returns a line for each law it breaks."""
    from w2s_cache.results.run_directory import RECORD_FILE
    from w2s_cache.store.reader import read_manifest

    if (folder / RECORD_FILE).is_file():
        echo((folder / RECORD_FILE).read_text(encoding="utf-8").rstrip())
    else:
        manifest = read_manifest(folder)
        shown = {**asdict(manifest), "key_digest": manifest.key_digest}
        shards = shown["shards"]
        if len(shards) > _SHOWN_SHARDS and not full:
            left_out = f"{counted(len(shards) - _SHOWN_SHARDS, 'more shard')} (--full)"
            shown["shards"] = [*shards[: _SHOWN_SHARDS - 1], left_out, shards[-1]]
        echo(json.dumps(shown, indent=1))
    return _broken(folder)


def _broken(folder: Path) -> list[str]:
    from w2s_cache.results import check_run
    from w2s_cache.results.run_directory import RECORD_FILE
    from w2s_cache.store.check import check_store

    if (folder / RECORD_FILE).is_file():
        return [f"{item.law}: {item.message}" for item in check_run(folder)]
    return [f"{item.law}: {item.message}" for item in check_store(folder)]


def _several(folder: Path, artifacts: list[Path], limit: int | None) -> int:
    """Checks every artifact; prints a line for each broken one, then a count; the exit code."""
    lines = []
    for artifact in artifacts:
        if broken := _broken(artifact):
            more = f" (and {len(broken) - 1:,} more)" if len(broken) > 1 else ""
            lines.append(f"{artifact.relative_to(folder)}: {broken[0]}{more}")
    for line in lines if limit is None else capped(lines, limit):
        echo(line)
    verdict = f"{len(lines)} broken" if lines else _SOUND
    echo(f"{counted(len(artifacts), 'store or run', 'stores and runs')} checked: {verdict}")
    return 1 if lines else 0
