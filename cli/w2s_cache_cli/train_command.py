"""`w2s-cache train`: cache → run records."""

from __future__ import annotations

import click

from w2s_cache.sections import Overrides
from w2s_cache_cli.models import chosen_models, names_options, override_options
from w2s_cache_cli.options import method_option
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.train_options import Training, training_options
from w2s_cache_cli.training import make_study, run_studies


@click.command()
@method_option("the spec's")
@training_options
@names_options
@override_options
def command(
    methods: tuple[str, ...],
    strong: str | None,
    weak: str | None,
    overrides: Overrides,
    training: Training,
) -> None:
    """Train methods on cached features; a run that exists is not run again.

    \b
    Examples:
      w2s-cache train --method cpl
      w2s-cache train --method lp-kd,cpl --domain real,sketch --seeds 0-4
      w2s-cache train --method cpl --set tau=0.05
    """
    spec, bars = training.spec, Bars(quiet=training.quiet)
    study = make_study(
        training,
        chosen_models(spec, strong=strong, weak=weak, overrides=overrides),
        bars,
        methods=methods or spec.methods,
        seeds=training.seeds or spec.protocol.seeds,
    )
    run_studies([study], training, bars)
