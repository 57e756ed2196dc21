"""`w2s-cache neighbours`: cached features → duplicates, doubtful labels, images of a class."""

from __future__ import annotations

from typing import Any

import click

from w2s_cache_cli.neighbours_source import Split, source_of, source_options, split_option
from w2s_cache_cli.options import results_dir_option
from w2s_cache_cli.suggestions import SuggestingGroup


@click.group(cls=SuggestingGroup)
def command() -> None:
    """Look at the nearest images in the space of the cached features.

    \b
    Examples:
      w2s-cache neighbours duplicates --domain real --threshold 0.98
      w2s-cache neighbours labels --domain sketch --by image
      w2s-cache neighbours prototypes --domain real --method cpl --class star
    """


@command.command(short_help="List near-duplicates and leaked test images.")
@click.option(
    "--threshold",
    type=click.FloatRange(-1, 1),
    default=0.98,
    show_default=True,
    help="Least cosine of a pair. What counts as a duplicate depends on the encoder: look.",
)
@click.option(
    "--across", is_flag=True, help="List pairs of a training and a test image only (the leak)."
)
@source_options
def duplicates(threshold: float, across: bool, **shared: Any) -> None:
    """List near-duplicates, and count the test images that leak from the training half.

    \b
    Examples:
      w2s-cache neighbours duplicates --domain real --threshold 0.98
      w2s-cache neighbours duplicates --across --format csv
    """
    from w2s_cache_cli.neighbours_report import report_duplicates

    report_duplicates(source_of(**shared), threshold=threshold, across=across)


@command.command(short_help="Estimate the quality of weak labels.")
@click.option(
    "--neighbours",
    "count",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Neighbours of each image.",
)
@click.option(
    "--tau",
    type=click.FloatRange(min=0, min_open=True),
    default=0.07,
    show_default=True,
    help="Temperature of the neighbours' vote.",
)
@click.option(
    "--by",
    type=click.Choice(["class", "image"]),
    default="class",
    show_default=True,
    help="A line per class, or per image, the most doubtful first.",
)
@split_option
@click.option(
    "--ground-truth",
    is_flag=True,
    help="Also compare with true labels. Nothing else here looks at them.",
)
@source_options
def labels(
    count: int, tau: float, by: str, split: Split, ground_truth: bool, **shared: Any
) -> None:
    """Estimate the quality of weak labels: how many neighbours share each, and their vote.

    \b
    Examples:
      w2s-cache neighbours labels --domain sketch
      w2s-cache neighbours labels --domain sketch --by image --limit 30
      w2s-cache neighbours labels --split train --by image --format csv
    """
    from w2s_cache_cli.neighbours_report import report_labels

    source = source_of(**shared)
    report_labels(source, count=count, tau=tau, by=by, split=split, ground_truth=ground_truth)


@command.command(short_help="Print the images nearest to each prototype.")
@click.option("--method", required=True, help="Method whose trained head is looked at.")
@click.option("--seed", default=0, show_default=True, help="Seed of the run.")
@click.option("--class", "classes", multiple=True, help="Class; repeat. Default: all.")
@click.option(
    "--neighbours",
    "count",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Images of each class.",
)
@split_option
@results_dir_option
@source_options
def prototypes(**options: Any) -> None:
    """Print the images nearest to each class prototype of a trained run.

    Needs the run: `w2s-cache train --method METHOD` first. Of a linear head the rows of its weight
    are taken.

    \b
    Examples:
      w2s-cache neighbours prototypes --domain real --method cpl --class star
      w2s-cache neighbours prototypes --method zero-shot --neighbours 10
    """
    from w2s_cache_cli.neighbours_report import report_prototypes

    own = {name: options.pop(name) for name in ("method", "seed", "classes", "count", "split")}
    results_dir = options.pop("results_dir")
    report_prototypes(source_of(**options), results_dir=results_dir, **own)
