"""`w2s-cache export`: cache → files of other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from w2s_cache.counted import counted
from w2s_cache.sections import Overrides
from w2s_cache.spec import EvalSplit, Select, Spec
from w2s_cache_cli.models import Models, chosen_models, names_options, override_options
from w2s_cache_cli.next_steps import next_step
from w2s_cache_cli.options import (
    cache_dir_option,
    comma_list,
    domain_option,
    method_option,
    quiet_option,
    read_spec,
    results_dir_option,
    run_seeds_option,
    spec_option,
)
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.records import record_filters, records_of
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.training import extracted_domains

if TYPE_CHECKING:
    from w2s_cache.interchange import Exported
    from w2s_cache.results import RunRecord
    from w2s_cache.store.feature_set import FeatureSet


@click.command()
@spec_option
@domain_option
@names_options
@override_options
@click.option(
    "--split",
    type=click.Choice(["train", "test", "all"]),
    default="all",
    show_default=True,
    help="Half of the official split.",
)
@click.option(
    "--what",
    multiple=True,
    callback=comma_list,
    help="features, logits, text, predictions, index; repeat or separate by commas. Path, label, "
    "class and split are always there; index adds size and sha256. Default: features, logits and, "
    "where there is one, text; with --method predictions too.",
)
@method_option("with predictions, all that have runs")
@run_seeds_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["parquet", "npz", "safetensors"]),
    default="parquet",
    show_default=True,
    help="What is written.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder; each domain gets one below it.",
)
@click.option("--normalize", is_flag=True, help="Scale rows of features to unit L2 length.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="Type of exported features.",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier export.")
@settings_options
@cache_dir_option
@results_dir_option
@quiet_option
def command(
    spec_name: str,
    domains: tuple[str, ...],
    strong: str | None,
    weak: str | None,
    overrides: Overrides,
    split: Literal["train", "test", "all"],
    what: tuple[str, ...],
    methods: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    format_: Literal["parquet", "npz", "safetensors"],
    output: Path,
    normalize: bool,
    dtype: Literal["float32", "float16"],
    overwrite: bool,
    options: dict[str, Any],
    eval_split: EvalSplit | None,
    select: Select | None,
    cache_dir: Path,
    results_dir: Path,
    quiet: bool,
) -> None:
    """Write cached features, logits and predictions for other programs.

    Every domain becomes a folder with images.* (one row per image), text.* (one row per class and
    template) and export.json. See docs/interchange.md for pandas, polars, duckdb and others.

    \b
    Examples:
      w2s-cache export --output out
      w2s-cache export --split test --method cpl --seeds 0 --output predictions
      w2s-cache export --what features --format npz --normalize --output plain
    """
    from w2s_cache.interchange import ExportOptions, export_domain

    spec = with_protocol(read_spec(spec_name), eval_split, select)
    models = chosen_models(spec, strong=strong, weak=weak, overrides=overrides)
    bars = Bars(quiet=quiet)
    methods = _known(methods)
    wanted = bool(methods) or "predictions" in what
    records = []
    if wanted:
        filters = record_filters(spec, domains, seeds, strong, weak)
        filters |= {"method": list(methods)} if methods else {}
        records = records_of(
            spec,
            results_dir,
            filters,
            options,
            overrides,
            cache_dir=cache_dir,
            methods=methods,
            quiet=quiet,
        )
        _say_absent(methods, records, bars)
    features = _feature_sets(spec, models, domains, cache_dir, bars)
    runs = _runs_of(features, records, cache_dir)
    for found in features:
        parts = what or ("features", "logits", *(("text",) if found.text else ()))
        asked = ExportOptions(
            output=output,
            what=dict.fromkeys((*parts, *(("predictions",) if wanted else ()))),
            split=split,
            format=format_,
            dtype=dtype,
            normalize=normalize,
            overwrite=overwrite,
            runs=runs[found.domain],
            results_dir=results_dir,
        )
        bars.begin(f"{found.domain}: {format_}", None)
        done = export_domain(cache_dir, found, asked, bars.advance)
        bars.end()
        bars.result(f"{found.domain}: {_summary(done)}")


def _known(methods: tuple[str, ...]) -> tuple[str, ...]:
    """The methods that are named, groups as their members.

    Raises:
        UnknownNameError: No such method.
    """
    from w2s_cache.methods import expand_groups, find_method

    members = expand_groups(methods)
    for name in members:
        find_method(name)
    return members


def _summary(done: Exported) -> str:
    lost = f", {len(done.left_out):,} without data left out" if done.left_out else ""
    return f"{counted(done.rows, 'image')}{lost} → {done.directory}"


def _say_absent(methods: Sequence[str], records: Sequence[RunRecord], bars: Bars) -> None:
    """Says which methods that were named have no run, and so no column."""
    run = {record.method for record in records if record.status == "done"}
    absent = tuple(name for name in methods if name not in run)
    if absent:
        step = next_step("train", method=absent)
        bars.say(f"left out, without runs: {', '.join(absent)}; {step} makes them")


def _runs_of(
    features: Sequence[FeatureSet], records: Sequence[RunRecord], home: Path
) -> dict[str, list[RunRecord]]:
    """The runs of every domain, all of them looked at before any domain is written."""
    from w2s_cache.interchange import refuse_other_features

    done = [record for record in records if record.status == "done"]
    runs = {found.domain: [r for r in done if r.domain == found.domain] for found in features}
    for found in features:
        refuse_other_features(home, found, runs[found.domain])
    return runs


def _feature_sets(
    spec: Spec, models: Models, asked: tuple[str, ...], home: Path, bars: Bars
) -> list[FeatureSet]:
    """Every domain's feature set, each compared with what the spec asks for before any is used."""
    from w2s_cache.request import feature_request
    from w2s_cache.store.feature_set import read_feature_set

    pair = {"strong": models.strong_name, "weak": models.weak_name}
    request = feature_request(spec, strong=models.strong, weak=models.weak)
    return [
        read_feature_set(home, dataset=spec.name, domain=domain, **pair, request=request)
        for domain in extracted_domains(spec, models, asked, home, bars)
    ]
