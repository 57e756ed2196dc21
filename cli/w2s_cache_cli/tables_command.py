"""`w2s-cache tables`: run records → tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from w2s_cache.errors import RecordError
from w2s_cache.results import find_runs
from w2s_cache.spec import Spec
from w2s_cache_cli.extract_command import strong_section_of
from w2s_cache_cli.options import (
    domain_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
    strong_option,
    weak_option,
)

_SUFFIXES = {"text": "txt", "md": "md", "latex": "tex", "csv": "csv"}


@click.command()
@spec_option
@click.option("--table", "tables", multiple=True, help="Table layout. Default: the spec's.")
@domain_option
@seeds_option
@strong_option
@weak_option
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
    from w2s_cache.train.matching import matching

    spec = read_spec(spec_name)
    filters = _filters(spec, domains, seeds, strong, weak)
    found = find_runs(results_dir, **filters)
    records = matching(found, spec)
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
    for name in tables or spec.tables:
        table = rendering.build(rendering.load_layout(name), records)
        click.echo(rendering.render(table, format_, color=colour and format_ == "text"))
        if output_dir is not None:
            for suffix in ("md", "latex", "csv"):
                path = output_dir / f"{spec.name}-{name}.{_SUFFIXES[suffix]}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(rendering.render(table, suffix) + "\n", encoding="utf-8")
                if not quiet:
                    click.echo(f"wrote {path}", err=True)


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
