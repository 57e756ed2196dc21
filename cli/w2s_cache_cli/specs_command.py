"""`w2s-cache specs`: what can be asked for."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote

import click

from w2s_cache.spec_files import copy_spec, load_spec, spec_directory, spec_names
from w2s_cache_cli.suggestions import SuggestingGroup
from w2s_cache_cli.terminal import echo


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the shipped specs.

    `specs show NAME` prints one with all defaults filled in, `specs copy NAME FILE` writes one to
    edit.
    """
    if ctx.invoked_subcommand is None:
        for name in spec_names():
            echo(f"{name:12} {load_spec(name).title}")
        echo(f"from {spec_directory()}", err=True)


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Print a spec as JSON, every default filled in. NAME may be the path of a .toml file."""
    echo(json.dumps(load_spec(name).model_dump(mode="json"), indent=2, ensure_ascii=False))


@command.command(short_help="Write a shipped spec to a file, to be edited.")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def copy(name: str, file: Path) -> None:
    """Write the shipped spec NAME to FILE, named like FILE, for a data set of your own.

    \b
    Example:
      w2s-cache specs copy folder birds.toml
      w2s-cache extract --spec birds.toml --root DIR
    """
    copy_spec(name, file)
    echo(f"{file}: {name} as {file.stem}; use it with --spec {quote(str(file))}")
