"""Whether a method's lead over a baseline is more than the luck of the test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from w2s_cache.metrics import (
    Estimate,
    GapEstimate,
    McNemar,
    Resampled,
    estimate_difference,
    estimate_gap,
    mcnemar,
    resample_images,
)
from w2s_cache.tables.evaluated import SUPERVISOR, Evaluated
from w2s_cache.tables.layout import CEILING
from w2s_cache.tables.skipped import SkippedImages
from w2s_cache.tables.table import AVERAGE

RESAMPLES = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One method against another on one domain, or on the average over domains.

    Args:
        method: The method.
        against: The baseline.
        column: The domain, or ``"Avg"``.
        accuracies: Accuracy of the method and of the baseline, means over seeds.
        difference: The first minus the second, resampled by image.
        only_method: Rows, over all seeds, that the method alone answers rightly.
        only_against: Rows that the baseline alone answers rightly.
        rows_p: McNemar's question with images resampled: is one count larger by luck? Every row
            counts alike, where ``difference`` gives every seed and domain the same weight.
        runs: The exact test of every seed by itself; empty for the average.
    """

    method: str
    against: str
    column: str
    accuracies: tuple[float, float]
    difference: Estimate
    only_method: int
    only_against: int
    rows_p: float
    runs: Mapping[int, McNemar]


@dataclass(frozen=True, kw_only=True, slots=True)
class Significance:
    """Comparisons, and the performance gap recovered by everything compared.

    Args:
        comparisons: Pair by pair, each pair's domains in order and then the average.
        gaps: By method and column; empty without a ceiling.
        seeds: The seeds.
        rows: Evaluated rows by domain, over all seeds.
        images: Different images by domain.
        resamples: How often images were drawn anew.
        no_gap: Why there are no gaps; empty when there are.
        skipped: What domains lack.
        note: What else is to be said of the runs; empty when nothing is.
    """

    comparisons: tuple[Comparison, ...]
    gaps: Mapping[tuple[str, str], GapEstimate]
    seeds: tuple[int, ...]
    rows: Mapping[str, int]
    images: Mapping[str, int]
    resamples: int
    no_gap: str
    skipped: tuple[SkippedImages, ...] = ()
    note: str = ""


def average_accuracy(evaluated: Evaluated, name: str) -> float:
    """Mean over domains of a method's accuracies, every domain counting alike."""
    place = evaluated.place(name)
    return float(np.mean([o.accuracy()[place] for o in evaluated.outcomes.values()]))


def best_baseline(evaluated: Evaluated, method: str, against: Sequence[str]) -> str | None:
    """The baseline with the highest average that is not the method; of equal ones the first."""
    others = [name for name in against if name != method]
    return max(others, key=lambda name: average_accuracy(evaluated, name), default=None)


def best_pairs(
    evaluated: Evaluated, methods: Sequence[str], against: Sequence[str]
) -> list[tuple[str, str]]:
    """Each method with its best baseline; a method without one is left out."""
    found = [(method, best_baseline(evaluated, method, against)) for method in methods]
    return [(method, best) for method, best in found if best is not None]


def significance(
    evaluated: Evaluated,
    pairs: Sequence[tuple[str, str]],
    *,
    resamples: int = RESAMPLES,
    generator: np.random.Generator,
) -> Significance:
    """Compares pairs of methods, all on the same resamples.

    Args:
        evaluated: The methods' predictions.
        pairs: (method, baseline), names of ``evaluated``.
        resamples: How often images are drawn anew.
        generator: Source of every draw.
    """
    outcomes = list(evaluated.outcomes.values())
    drawn = resample_images(outcomes, resamples=resamples, generator=generator)
    columns = [(domain, [number]) for number, domain in enumerate(evaluated.domains)]
    if len(columns) > 1:
        columns.append((AVERAGE, list(range(len(columns)))))
    compared = dict.fromkeys(name for pair in pairs for name in pair)
    gaps = {}
    if CEILING in evaluated.names:
        gaps = {
            (name, column): _gap(evaluated, drawn, name, places)
            for name in compared
            for column, places in columns
        }
    return Significance(
        comparisons=tuple(
            _compare(evaluated, drawn, pair, column, places)
            for pair in pairs
            for column, places in columns
        ),
        gaps=gaps,
        seeds=evaluated.seeds,
        rows={domain: o.rows for domain, o in evaluated.outcomes.items()},
        images={domain: o.images for domain, o in evaluated.outcomes.items()},
        resamples=resamples,
        no_gap=evaluated.no_ceiling,
        skipped=evaluated.skipped,
    )


def _compare(
    evaluated: Evaluated,
    drawn: Resampled,
    pair: tuple[str, str],
    column: str,
    domains: Sequence[int],
) -> Comparison:
    first, second = (evaluated.place(name) for name in pair)
    accuracy = drawn.accuracy[:, domains].mean(axis=1)
    right = drawn.right[:, domains].sum(axis=1)
    outcomes = [list(evaluated.outcomes.values())[number] for number in domains]
    means = np.mean([o.accuracy() for o in outcomes], axis=0)
    difference = float(means[first] - means[second])
    runs = [
        mcnemar(o.right[o.present[:, s], s, first], o.right[o.present[:, s], s, second])
        for o in outcomes
        for s in range(len(evaluated.seeds))
    ]
    only_method = sum(run.first_only for run in runs)
    only_against = sum(run.second_only for run in runs)
    rows = estimate_difference(only_method - only_against, right[:, first] - right[:, second])
    return Comparison(
        method=pair[0],
        against=pair[1],
        column=column,
        accuracies=(float(means[first]), float(means[second])),
        difference=estimate_difference(difference, accuracy[:, first] - accuracy[:, second]),
        only_method=only_method,
        only_against=only_against,
        rows_p=rows.p,
        runs=dict(zip(evaluated.seeds, runs, strict=True)) if len(domains) == 1 else {},
    )


def _gap(evaluated: Evaluated, drawn: Resampled, name: str, domains: Sequence[int]) -> GapEstimate:
    places = [evaluated.place(n) for n in (name, SUPERVISOR, CEILING)]
    outcomes = [list(evaluated.outcomes.values())[number] for number in domains]
    method, weak, ceiling = np.mean([o.accuracy()[places] for o in outcomes], axis=0).tolist()
    resampled = drawn.accuracy[:, domains][..., places].mean(axis=1)
    return estimate_gap((method, weak, ceiling), resampled)
