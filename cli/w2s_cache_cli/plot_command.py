"""`w2s-cache plot`: run records → figures."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from w2s_cache.sections import strong_section_of, weak_section_of
from w2s_cache.store.layout import slug
from w2s_cache_cli.known_names import refuse_names_without_runs
from w2s_cache_cli.next_steps import completed
from w2s_cache_cli.options import (
    domain_option,
    method_option,
)
from w2s_cache_cli.plot_source import source_of, source_options
from w2s_cache_cli.terminal import echo

_one_domain = click.option("--domain", required=True, help="The domain to draw.")
_one_method = click.option("--method", required=True, help="The method to draw.")


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
@source_options
def curves(methods: tuple[str, ...], domain: str, **shared: Any) -> None:
    """Accuracy on training and test images over steps; runs need `train --curves`.

    \b
    Examples:
      w2s-cache train --method lp-kd,cpl --domain sketch --curves
      w2s-cache plot curves --method lp-kd,cpl --domain sketch
    """
    from w2s_cache.methods import CEILING_METHODS, expand_groups, find_method
    from w2s_cache.plots.curves import SIZE, draw_curves, gather_curves
    from w2s_cache.results import read_trace
    from w2s_cache.results.lacking import refuse_lacking

    source = source_of(**shared)
    asked = expand_groups(methods)
    for name in asked:
        find_method(name)
    records = source.records(domain, asked)
    trained = dict.fromkeys(r.method for r in records if "epoch" in r.selected)
    names = asked or tuple(name for name in trained if name not in CEILING_METHODS)
    if source.seeds:
        refuse_lacking(records, methods=names, domains=(domain,), seeds=source.seeds, curves=True)
    labels = {name: find_method(name).title for name in names}
    source.say_outdated([r for r in records if r.method in {*names, *CEILING_METHODS}])
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
@source_options
def beta(method: str, domain: str, **shared: Any) -> None:
    """AdaptConf's weight of the own prediction, before and after training.

    \b
    Example:
      w2s-cache plot beta --method lp-adapt --domain sketch
    """
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
    source = source_of(**shared)
    runs = [r for r in source.records(domain, (method,)) if r.method == method]
    seeds = source.seeds or sorted({run.seed for run in runs}) or source.spec.protocol.seeds
    refuse_lacking(runs, methods=(method,), domains=(domain,), seeds=seeds)
    strong_name, strong = strong_section_of(source.spec, source.strong, source.overrides)
    weak_name, weak = weak_section_of(source.spec, source.weak, source.overrides)
    found = read_feature_set(
        source.cache_dir,
        dataset=source.spec.name,
        domain=domain,
        strong=strong_name,
        weak=weak_name,
        request=feature_request(source.spec, strong=strong, weak=weak),
    )
    inputs = load_inputs(source.cache_dir, found)
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
@source_options
def sensitivity(method: str, parameter: str, domains: tuple[str, ...], **shared: Any) -> None:
    """Accuracy against one hyper-parameter, from runs that differ in nothing else.

    \b
    Examples:
      w2s-cache train --method cpl --set tau=0.1
      w2s-cache train --method cpl --set tau=0.3
      w2s-cache plot sensitivity --method cpl --parameter tau
    """
    from w2s_cache.plots.sensitivity import SIZE, draw_sensitivity, gather_sensitivity
    from w2s_cache.train.settings import declare

    source = source_of(**shared)
    declared = declare(source.spec, method, source.options)
    weak = (source.weak,) if source.weak else ()
    refuse_names_without_runs(source.spec, source.results_dir, domains=domains, weak=weak)
    records = source.records_of_any_settings(domains, method)
    data = gather_sensitivity(
        records,
        parameter,
        declared,
        method=method,
        domains=domains,
        seeds=source.seeds or (),
    )
    source.say_outdated(records, varied=parameter)
    for note in () if source.quiet else data.notes:
        echo(completed(note), err=True)
    stem = "-".join(["sensitivity", method, parameter, *map(slug, domains)])
    about = source.about(method, ", ".join(domains))
    source.write(partial(draw_sensitivity, data=data, title=about), size=SIZE, stem=stem)
