"""`w2s-cache sweep`: the whole grid of a spec, whatever of it is missing."""

from __future__ import annotations

import click

from w2s_cache.sections import Overrides
from w2s_cache_cli.models import (
    chosen_models,
    override_options,
    several_names_options,
    strong_names,
)
from w2s_cache_cli.options import method_option
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.train_options import Training, training_options
from w2s_cache_cli.training import make_study, run_studies


@click.command()
@method_option("the spec's sweep")
@training_options
@several_names_options("the spec's first", commas=True)
@override_options
def command(
    methods: tuple[str, ...],
    strong: tuple[str, ...],
    weak: tuple[str, ...],
    overrides: Overrides,
    training: Training,
) -> None:
    """Train every method on every domain with every seed; runs that exist are not run again.

    \b
    Examples:
      w2s-cache sweep
      w2s-cache sweep --methods paper,beyond --seeds 0-4
      w2s-cache sweep --spec domainnet --strong vit-b-32,vit-b-16 --domain clipart
      w2s-cache sweep --strong ViT-B-32,laion2b_s34b_b79k --strong RN50,openai
    """
    from w2s_cache.store.contents import cached_pairs

    spec, bars = training.spec, Bars(quiet=training.quiet)
    cached = (name for name, _ in cached_pairs(training.cache_dir, spec.name))
    encoders = strong_names(strong, {*spec.strong, *cached})
    studies = [
        make_study(
            training,
            chosen_models(spec, strong=strong_name, weak=weak_name, overrides=overrides),
            bars,
            methods=methods or spec.sweep.methods or spec.methods,
            seeds=training.seeds or spec.sweep.seeds or spec.protocol.seeds,
        )
        for strong_name in encoders or (None,)
        for weak_name in weak or (None,)
    ]
    run_studies(studies, training, bars)
