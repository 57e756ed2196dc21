"""`w2s-cache plot`: run records → figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from w2s_cache.sections import Overrides, strong_section_of, weak_section_of
from w2s_cache.spec import EvalSplit, Select, Spec
from w2s_cache.store.layout import slug
from w2s_cache_cli.known_names import refuse_names_without_runs
from w2s_cache_cli.models import names_options, override_options
from w2s_cache_cli.next_steps import completed
from w2s_cache_cli.options import (
    cache_dir_option,
    domain_option,
    method_option,
    quiet_option,
    read_spec,
    results_dir_option,
    run_seeds_option,
    spec_option,
)
from w2s_cache_cli.records import left_out_line, record_filters, records_of
from w2s_cache_cli.settings import settings_options, with_protocol
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.results import RunRecord

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    spec_option,
    run_seeds_option,
    names_options,
    override_options,
    settings_options,
    results_dir_option,
    click.option(
        "--output-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("figures"),
        show_default=True,
        help="Where the PNG and SVG files go.",
    ),
    quiet_option,
)
_one_domain = click.option("--domain", required=True, help="The domain to draw.")
_one_method = click.option("--method", required=True, help="The method to draw.")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """Which runs a figure is made of."""

    spec: Spec
    seeds: tuple[int, ...] | None
    strong: str | None
    weak: str | None
    options: dict[str, Any]
    overrides: Overrides
    results_dir: Path
    output_dir: Path
    quiet: bool

    def filters(self, domains: tuple[str, ...]) -> dict[str, object]:
        """Fields of the records to read."""
        return record_filters(self.spec, domains, self.seeds, self.strong, self.weak)

    def records(self, domain: str, methods: tuple[str, ...]) -> list[RunRecord]:
        """Records of the spec's present settings on one domain, of any methods."""
        return records_of(
            self.spec,
            self.results_dir,
            self.filters((domain,)),
            self.options,
            self.overrides,
            methods=methods,
            quiet=self.quiet,
        )

    def about(self, *parts: str) -> str:
        """The title of a figure: data set, then what is shown, then the models."""
        strong = strong_section_of(self.spec, self.strong)[0]
        models = f"{strong} taught by {weak_section_of(self.spec, self.weak)[0]}"
        return " · ".join(part for part in (self.spec.name, *parts, models) if part)

    def write(self, draw: Callable[[Any], None], *, size: tuple[float, float], stem: str) -> None:
        """Draws, writes, and prints the paths."""
        from w2s_cache.plots import draw_figure, write_figure

        files = draw_figure(draw, size=size)
        for path in write_figure(files, self.output_dir, f"{self.spec.name}-{stem}"):
            echo(path)


def _source_options(command: Command) -> Command:
    """Adds the options that all figures share."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _source(
    spec_name: str, eval_split: EvalSplit | None, select: Select | None, **rest: Any
) -> _Source:
    return _Source(spec=with_protocol(read_spec(spec_name), eval_split, select), **rest)


@click.group()
def command() -> None:
    """Draw a figure from run records, as PNG and SVG; needs the extra `plots`.

    \b
    Examples:
      w2s-cache plot curves --method lp-kd,cpl --domain sketch
      w2s-cache plot beta --method lp-adapt --domain sketch
      w2s-cache plot sensitivity --method cpl --parameter tau
    """


@command.command(short_help="Draw accuracies over training steps.")
@method_option("all that have runs, without ceilings")
@_one_domain
@_source_options
def curves(methods: tuple[str, ...], domain: str, **shared: Any) -> None:
    """Accuracy on training and test images over steps; runs need `train --curves`."""
    from w2s_cache.methods import CEILING_METHODS, expand_groups, find_method
    from w2s_cache.plots.curves import SIZE, draw_curves, gather_curves
    from w2s_cache.results import read_trace
    from w2s_cache.results.lacking import refuse_lacking

    source = _source(**shared)
    asked = expand_groups(methods)
    for name in asked:
        find_method(name)
    records = source.records(domain, asked)
    trained = dict.fromkeys(r.method for r in records if "epoch" in r.selected)
    names = asked or tuple(name for name in trained if name not in CEILING_METHODS)
    if source.seeds:
        refuse_lacking(records, methods=names, domains=(domain,), seeds=source.seeds, curves=True)
    labels = {name: find_method(name).title for name in names}
    data = gather_curves(records, labels, partial(read_trace, source.results_dir))
    if data.ceiling is None and not source.quiet:
        echo("no runs on ground truth, drawn without a strong ceiling", err=True)
    for note in () if source.quiet else data.notes:
        echo(completed(note), err=True)
    draw = partial(draw_curves, data=data, title=source.about(domain))
    source.write(draw, size=SIZE, stem=f"curves-{slug(domain)}")


@command.command(short_help="Draw AdaptConf's weight of the own prediction.")
@_one_method
@_one_domain
@cache_dir_option
@_source_options
def beta(method: str, domain: str, cache_dir: Path, **shared: Any) -> None:
    """AdaptConf's weight of the own prediction, before and after training."""
    from w2s_cache.encoders.reattach import Reattached
    from w2s_cache.methods import find_method
    from w2s_cache.plots.beta import SIZE, draw_beta
    from w2s_cache.request import feature_request
    from w2s_cache.results import read_head
    from w2s_cache.results.lacking import refuse_lacking
    from w2s_cache.store.feature_set import read_feature_set
    from w2s_cache.train.beta import pooled, run_beta
    from w2s_cache.train.inputs import load_inputs

    find_method(method)
    source = _source(**shared)
    runs = [r for r in source.records(domain, (method,)) if r.method == method]
    seeds = source.seeds or sorted({run.seed for run in runs}) or source.spec.protocol.seeds
    refuse_lacking(runs, methods=(method,), domains=(domain,), seeds=seeds)
    strong_name, strong = strong_section_of(source.spec, source.strong, source.overrides)
    weak_name, weak = weak_section_of(source.spec, source.weak, source.overrides)
    found = read_feature_set(
        cache_dir,
        dataset=source.spec.name,
        domain=domain,
        strong=strong_name,
        weak=weak_name,
        request=feature_request(source.spec, strong=strong, weak=weak),
    )
    inputs = load_inputs(cache_dir, found)
    say = (lambda _: None) if source.quiet else partial(echo, err=True)
    tower = Reattached(strong, "cpu", say)
    heads = [read_head(source.results_dir, run) for run in runs]
    pairs = zip(runs, heads, strict=True)
    data = pooled([run_beta(run, head, inputs, tower) for run, head in pairs])
    draw = partial(draw_beta, data=data, title=source.about(method, domain))
    source.write(draw, size=SIZE, stem=f"beta-{method}-{slug(domain)}")


@command.command(short_help="Draw accuracy against a hyper-parameter.")
@_one_method
@click.option("--parameter", required=True, help="Hyper-parameter, e.g. tau or recipe.lr.")
@domain_option
@_source_options
def sensitivity(method: str, parameter: str, domains: tuple[str, ...], **shared: Any) -> None:
    """Accuracy against one hyper-parameter, from runs that differ in nothing else."""
    from w2s_cache.plots.sensitivity import SIZE, draw_sensitivity, gather_sensitivity
    from w2s_cache.results import find_runs
    from w2s_cache.train.matching import requested
    from w2s_cache.train.settings import declare

    source = _source(**shared)
    declared = declare(source.spec, method, source.options)
    weak = (source.weak,) if source.weak else ()
    refuse_names_without_runs(source.spec, source.results_dir, domains=domains, weak=weak)
    found = find_runs(source.results_dir, **source.filters(domains), method=method)
    records = requested(found, source.spec, source.overrides)
    if len(records) < len(found) and not source.quiet:
        left_out = len(found) - len(records)
        echo(left_out_line(left_out, "inputs.request_digest"), err=True)
    data = gather_sensitivity(
        records,
        parameter,
        declared,
        method=method,
        domains=domains,
        seeds=source.seeds or (),
    )
    for note in () if source.quiet else data.notes:
        echo(completed(note), err=True)
    stem = "-".join(["sensitivity", method, parameter, *map(slug, domains)])
    about = source.about(method, ", ".join(domains))
    source.write(partial(draw_sensitivity, data=data, title=about), size=SIZE, stem=stem)
