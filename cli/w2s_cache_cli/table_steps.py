"""What a table lacks, and the commands that make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from w2s_cache.counted import counted
from w2s_cache.spec import Spec
from w2s_cache.spec_files import load_spec, spec_names
from w2s_cache_cli.table_records import Asked, other_models, table_filters
from w2s_cache_cli.terminal import echo
from w2s_cache_cli.training_steps import training_steps

if TYPE_CHECKING:
    from w2s_cache.results import RunRecord
    from w2s_cache.tables import Expected, Layout


def say_missing(
    layout: Layout, spec: Spec, asked: Asked, records: Sequence[RunRecord], expected: Expected
) -> None:
    """Says how many runs the table expects and lacks, and the command that makes them."""
    from w2s_cache.tables import missing_runs

    missing = missing_runs(layout, records, expected)
    if missing.runs and not asked.quiet:
        count = counted(missing.runs, "run is", "runs are")
        step = training_step(
            layout,
            spec,
            asked,
            methods=missing.methods,
            columns=missing.columns,
            seeds=missing.seeds,
        )
        echo(f"{layout.name}: {count} missing; to make them, run {step}", err=True)


def say_other_data_set(layout: Layout, spec: Spec, asked: Asked) -> None:
    """Says that a layout is for other domains than the spec's, and for which shipped specs."""
    strangers = [name for name in layout.column if name not in spec.data.domains]
    if asked.quiet or layout.columns != "domain" or not (strangers and spec.data.domains):
        return
    fitting = [n for n in spec_names() if set(layout.column) <= set(load_spec(n).data.domains)]
    hint = f"; it is a table of --spec {' or '.join(fitting)}" if fitting else ""
    echo(f"{layout.name}: {spec.name} has no domain {', '.join(strangers)}{hint}", err=True)


def say_further(layout: Layout, spec: Spec, asked: Asked, absent: Sequence[str]) -> None:
    """Says of a table that is not printed yet how many methods it waits for, and what runs them."""
    if not asked.quiet:
        step = training_step(layout, spec, asked, methods=absent)
        count = counted(len(absent), "more method has", "more methods have")
        echo(
            f"further table {layout.name}: printed once {count} runs; to make them, run {step}",
            err=True,
        )


def training_step(
    layout: Layout,
    spec: Spec,
    asked: Asked,
    *,
    methods: Sequence[str],
    columns: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> str:
    """The command that makes runs of a table; what it does by default is not said.

    Methods without a setting that is asked for need a command of their own.
    """
    options = other_models(spec, table_filters(layout, spec, asked))
    if layout.columns != "domain":
        options["domain"] = asked.domains or layout.domain
        options[layout.columns] = tuple(columns)
    elif set(columns) != set(spec.data.domains):
        options["domain"] = tuple(columns)
    command = "sweep" if layout.columns != "domain" and len(columns) > 1 else "train"
    if command == "sweep" or tuple(seeds) != tuple(spec.protocol.seeds):
        options["seeds"] = tuple(seeds)
    return training_steps(
        spec, asked.options, methods, command=command, named=command == "sweep", **options
    )
