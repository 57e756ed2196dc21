"""`w2s-cache tables`: run records → tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from w2s_cache.errors import RecordError
from w2s_cache.sections import strong_section_of
from w2s_cache.spec import EvalSplit, Select, Spec
from w2s_cache_cli.known_names import refuse_names_without_runs
from w2s_cache_cli.options import (
    domain_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
)
from w2s_cache_cli.settings import settings_options, with_protocol

if TYPE_CHECKING:
    from w2s_cache.tables import Table

_SUFFIXES = {"text": "txt", "md": "md", "latex": "tex", "csv": "csv"}


@click.command()
@spec_option
@click.option("--table", "tables", multiple=True, help="Table layout. Default: the spec's.")
@domain_option
@seeds_option
@click.option("--strong", help="Strong encoder. Default: the spec's first.")
@click.option("--weak", help="Weak model. Default: the spec's first.")
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
@settings_options
@results_dir_option
@quiet_option
def command(
    spec_name: str,
    tables: tuple[str, ...],
    domains: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: str | None,
    weak: str | None,
    format_: str,
    output_dir: Path | None,
    options: dict[str, Any],
    eval_split: EvalSplit | None,
    select: Select | None,
    results_dir: Path,
    quiet: bool,
) -> None:
    """Print tables from run records; nothing is computed anew.

    \b
    Examples:
      w2s-cache tables
      w2s-cache tables --format latex > table.tex
      w2s-cache tables --spec pacs --output-dir tables
    """
    from w2s_cache import tables as rendering
    from w2s_cache.results import find_runs
    from w2s_cache.train.matching import matching

    spec = with_protocol(read_spec(spec_name), eval_split, select)
    layouts = {name: rendering.load_layout(name) for name in tables or spec.tables}
    refuse_names_without_runs(spec, results_dir, domains=domains, weak=(weak,) if weak else ())
    filters = _filters(spec, domains, seeds, strong, weak)
    found = find_runs(results_dir, **filters)
    records = matching(found, spec, options)
    if not records:
        raise RecordError(
            f"no runs of spec {spec.name} in {results_dir}",
            expected="records of the spec's present settings",
            found=f"{len(found)} of other settings" if found else "none",
            fix=f"Run `w2s-cache train --spec {spec_name}` first.",
        )
    if len(found) > len(records) and not quiet:
        click.echo(f"{len(found) - len(records)} runs of other settings left out", err=True)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for number, (name, layout) in enumerate(layouts.items()):
        table = rendering.build(layout, records)
        text = rendering.render(table, format_, color=colour)
        click.echo(f"\n{text}" if number else text, nl=False)
        if output_dir is not None:
            written = _write(table, output_dir, f"{spec.name}-{Path(name).stem}")
            if not quiet:
                click.echo("".join(f"wrote {path}\n" for path in written), nl=False, err=True)


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


def _filters(
    spec: Spec,
    domains: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: str | None,
    weak: str | None,
) -> dict[str, object]:
    filters: dict[str, object] = {
        "dataset": spec.name,
        "strong": strong_section_of(spec, strong)[0],
        "weak": weak or next(iter(spec.weak)),
        "seed": list(seeds or spec.protocol.seeds),
    }
    if domains:
        filters["domain"] = list(domains)
    return filters
