"""Accuracy against one hyper-parameter, from records that differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s_cache.command_line import command_line
from w2s_cache.errors import PlotError, UnknownNameError
from w2s_cache.plots.sensitivity_gaps import Scores, lacking_notes, refuse_absent
from w2s_cache.plots.spread import mean_and_sd, seeds_word
from w2s_cache.plots.style import BLACK, entitle, series_style
from w2s_cache.results import RunRecord
from w2s_cache.train.current import NOTHING_HELD, current
from w2s_cache.train.settings import RECIPE

SIZE = (5.6, 3.2)
AVERAGE = "Average"

_NAMES = {
    "tau": "Temperature τ of both sides (no unit)",
    "tau_strong": "Temperature τ of the strong side (no unit)",
    "tau_weak": "Temperature τ of the weak side (no unit)",
    "temperature": "Temperature T of the weight β (no unit)",
    "alpha_max": "Largest weight α of the own prediction (no unit)",
    "recipe.lr": "Learning rate (per step)",
}
_LOG_SPAN = 10  # from one decade on
_APART = 0.04  # lines stand beside each other within this share of the axis, so that bars show


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One line of the figure: accuracies in percent.

    Args:
        label: The domain, or the average.
        values: Values of the hyper-parameter, ascending.
        points: Mean and SD over seeds at each.
    """

    label: str
    values: tuple[float, ...]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensitivity:
    """Everything in the figure.

    Args:
        parameter: The hyper-parameter.
        series: Domains ascending, then the average if there are several.
        seeds: Seeds of the runs.
        notes: What is missing, a sentence each.
    """

    parameter: str
    series: tuple[Series, ...]
    seeds: tuple[int, ...]
    notes: tuple[str, ...]


def gather_sensitivity(
    records: Sequence[RunRecord],
    parameter: str,
    declared: Mapping[str, Mapping[str, Any]],
    *,
    method: str,
    domains: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> Sensitivity:
    """Sorts the records of one method by a hyper-parameter's value.

    A record in which it is a list of candidates has no one value and is left out, as is one whose
    domain's features have changed since.

    Args:
        records: Done runs of one method with one pair of models.
        parameter: A hyper-parameter, or a setting such as ``recipe.lr``, with numbers for values.
        declared: ``config`` and ``protocol`` that all but the parameter must have.
        method: Their method.
        domains: Domains that are asked for by name; each must have runs.
        seeds: The same for seeds.

    Raises:
        UnknownNameError: The method has no such hyper-parameter.
        PlotError: Fewer than two values were run, or a domain or seed that is asked for has none.
    """
    known = {
        name
        for config in (declared["config"], *(r.config for r in records))
        for name in _flat(config)
    }
    if parameter not in known:
        raise UnknownNameError("hyper-parameter of this method", parameter, known)
    scores = _scores(records, parameter, declared)
    values = sorted({value for of_domain in scores.values() for value in of_domain})
    if len(values) < 2:
        raise PlotError(
            f"{parameter} has too few values to draw",
            expected="runs with at least two values that differ in nothing else",
            found=", ".join(f"{value:g}" for value in values) or "none",
            fix=f"Run `{command_line('train', method=method, set={parameter: 'VALUE'})}` with "
            "several values.",
        )
    found = {s for of_domain in scores.values() for runs in of_domain.values() for s in runs}
    refuse_absent(domains, scores, "domain", (method, parameter))
    refuse_absent(seeds, found, "seed", (method, parameter))
    seeds = sorted(found)
    series = [_series(domain, of_domain) for domain, of_domain in sorted(scores.items())]
    if len(series) > 1:
        series.append(_series(AVERAGE, _average(scores, values, seeds)))
    return Sensitivity(
        parameter=parameter,
        series=tuple(series),
        seeds=tuple(seeds),
        notes=tuple(lacking_notes(scores, values, seeds, (method, parameter))),
    )


def draw_sensitivity(figure: Any, data: Sensitivity, *, title: str = "") -> None:
    """One line per domain with bars of one SD; the average is black and thick."""
    panel = figure.subplots()
    values = sorted({value for series in data.series for value in series.values})
    logarithmic = values[0] > 0 and values[-1] / values[0] >= _LOG_SPAN
    for number, series in enumerate(data.series):
        style = series_style(number)
        if series.label == AVERAGE:
            style = {"color": BLACK, "marker": "o", "linewidth": 2.2}
        apart = _APART * ((number + 0.5) / len(data.series) - 0.5)
        places = [_beside(value, apart, values, logarithmic) for value in series.values]
        means, spreads = zip(*series.points, strict=True) if series.points else ((), ())
        panel.errorbar(places, means, yerr=spreads, label=series.label, elinewidth=0.9, **style)
    if logarithmic:
        panel.set_xscale("log")
    if len(values) <= 10:
        panel.set_xticks(values, [f"{value:g}" for value in values])
        panel.set_xticks([], minor=True)
    panel.grid(visible=False, axis="x")
    panel.set_xlabel(_NAMES.get(data.parameter, data.parameter))
    panel.set_ylabel("Test accuracy (%)")
    legend = figure.legend(loc="outside right upper", title=seeds_word(data.seeds))
    legend.get_title().set_fontsize(8)
    entitle(figure, title)


def _beside(value: float, apart: float, values: Sequence[float], logarithmic: bool) -> float:
    """A value moved by a share of the axis."""
    if logarithmic:
        return float(value * (values[-1] / values[0]) ** apart)
    return value + apart * (values[-1] - values[0])


def _scores(
    records: Sequence[RunRecord], parameter: str, declared: Mapping[str, Mapping[str, Any]]
) -> dict[str, Scores]:
    wanted = _without(declared["config"], parameter), declared["protocol"]
    kept = [
        record
        for record in records
        if record.status == "done"
        and (_without(record.config, parameter), record.protocol) == wanted
    ]
    scores: dict[str, Scores] = {}
    for record in current(kept, NOTHING_HELD):
        value: Any = _flat(record.config).get(parameter)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number:
            of_value = scores.setdefault(record.domain, {}).setdefault(float(value), {})
            of_value[record.seed] = record.metrics["accuracy"]
    return scores


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters, and settings of the recipe under the names that options give them."""
    recipe = {f"{RECIPE}{name}": value for name, value in config.get("recipe", {}).items()}
    return {**config.get("options", {}), **recipe}


def _without(config: Mapping[str, Any], parameter: str) -> dict[str, Any]:
    return {name: value for name, value in _flat(config).items() if name != parameter}


def _series(label: str, scores: Scores) -> Series:
    values = tuple(sorted(scores))
    return Series(
        label=label,
        values=values,
        points=tuple(mean_and_sd(list(scores[value].values())) for value in values),
    )


def _average(scores: Mapping[str, Scores], values: Sequence[float], seeds: Sequence[int]) -> Scores:
    """Averages over domains of each seed, at values that every domain has with every seed."""
    whole = [
        value
        for value in values
        if all(set(of_domain.get(value, {})) == set(seeds) for of_domain in scores.values())
    ]
    return {
        value: {
            seed: sum(of_domain[value][seed] for of_domain in scores.values()) / len(scores)
            for seed in seeds
        }
        for value in whole
    }
