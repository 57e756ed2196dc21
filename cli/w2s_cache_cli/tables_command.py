"""`w2s-cache tables`: run records → tables."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from w2s_cache.errors import RecordError
from w2s_cache.sections import Overrides
from w2s_cache.spec import EvalSplit, Select, Spec
from w2s_cache_cli.known_names import refuse_names_without_runs
from w2s_cache_cli.models import override_options, several_names_options
from w2s_cache_cli.options import (
    cache_dir_option,
    domain_option,
    quiet_option,
    read_spec,
    results_dir_option,
    run_seeds_option,
    spec_option,
)
from w2s_cache_cli.outdated_runs import outdated_note
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.table_records import Asked, table_records
from w2s_cache_cli.table_sizes import sizes_table
from w2s_cache_cli.table_steps import say_further, say_missing, say_other_data_set
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.results import RunRecord
    from w2s_cache.tables import Expected, Layout, Table

_SUFFIXES = {"text": "txt", "md": "md", "latex": "tex", "csv": "csv"}


@click.command()
@spec_option
@click.option(
    "--table",
    "tables",
    multiple=True,
    help="Table layout: main, table1 … table7, beyond, grid, self-training, or a .toml file. "
    "Default: the spec's.",
)
@domain_option
@run_seeds_option
@several_names_options("the layout's, else the spec's first")
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(_SUFFIXES)),
    default="text",
    show_default=True,
    help="What is printed.",
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also write Markdown, LaTeX and CSV files here.",
)
@override_options
@settings_options
@results_dir_option
@cache_dir_option
@quiet_option
def command(
    spec_name: str,
    tables: tuple[str, ...],
    domains: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: tuple[str, ...],
    weak: tuple[str, ...],
    format_: str,
    output_dir: Path | None,
    overrides: Overrides,
    options: dict[str, Any],
    eval_split: EvalSplit | None,
    select: Select | None,
    results_dir: Path,
    cache_dir: Path,
    quiet: bool,
) -> None:
    """Print tables from run records; nothing is computed anew.

    Without --table these are the spec's, those after the first only once all their methods have
    runs.

    \b
    Examples:
      w2s-cache tables
      w2s-cache tables --format latex > table.tex
      w2s-cache tables --spec pacs --output-dir tables
      w2s-cache tables --spec domainnet --table table1 --table table3
    """
    from w2s_cache import tables as rendering

    spec = with_protocol(read_spec(spec_name), eval_split, select)
    layouts = {name: rendering.load_layout(name) for name in tables or spec.tables}
    asked = Asked(
        domains=domains,
        seeds=seeds,
        strong=strong,
        weak=weak,
        options=options,
        overrides=overrides,
        cache_dir=cache_dir,
        quiet=quiet,
    )
    refuse_names_without_runs(spec, results_dir, domains=domains, strong=strong, weak=weak)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    printed = []
    for number, (name, layout) in enumerate(layouts.items()):
        if layout.content == "sizes":
            table = sizes_table(layout, spec, domains, cache_dir)
        else:
            parts = table_records(layout, spec, asked, results_dir)
            absent = () if tables or not number else rendering.absent_methods(parts[0], parts[1])
            if absent:
                say_further(layout, spec, asked, absent)
                continue
            table = _scores(*parts, spec, asked, results_dir)
            printed.append(parts)
        text = rendering.render(table, format_, color=colour)
        click.echo(f"\n{text}" if number else text, nl=False)
        if output_dir is not None:
            written = _write(table, output_dir, f"{spec.name}-{Path(name).stem}")
            if not quiet:
                echo("".join(f"wrote {path}\n" for path in written), nl=False, err=True)
    for parts in printed:
        say_other_data_set(parts[0], spec, asked)
        say_missing(parts[0], spec, asked, *parts[1:])


def _scores(
    layout: Layout,
    records: list[RunRecord],
    expected: Expected,
    spec: Spec,
    asked: Asked,
    results_dir: Path,
) -> Table:
    """The table of some records; that the cache has moved on from them is said above and in it."""
    from w2s_cache.results import read_predictions
    from w2s_cache.tables import build

    own = [record for record in records if record.method in layout.methods()]
    note = outdated_note(spec, asked.options, own, asked.cache_dir)
    if note and not asked.quiet:
        echo(note, err=True)
    return build(layout, records, expected, read=partial(read_predictions, results_dir), note=note)


def _write(table: Table, folder: Path, stem: str) -> list[Path]:
    """Writes a table in every format that is a file's.

    Raises:
        RecordError: The folder cannot be written to.
    """
    from w2s_cache.tables import render

    paths = {form: folder / f"{stem}.{_SUFFIXES[form]}" for form in ("md", "latex", "csv")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for form, path in paths.items():
            path.write_text(render(table, form), encoding="utf-8")
    except OSError as error:
        raise RecordError(
            f"tables cannot be written to {folder}",
            expected="a writable folder",
            found=error.strerror or str(error),
            fix="Choose another --output-dir.",
        ) from error
    return list(paths.values())
