"""Train and test accuracy over steps, between weak model and strong ceiling (Li et al., Fig. 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s_cache.command_line import command_line
from w2s_cache.counted import counted
from w2s_cache.errors import PlotError
from w2s_cache.methods import CEILING_METHODS
from w2s_cache.plots.measured_runs import ReadTrace, Steps, measured_runs
from w2s_cache.plots.spread import mean_and_sd, seeds_word
from w2s_cache.plots.style import BLACK, GREY, entitle, series_style
from w2s_cache.results import RunRecord

SIZE = (7.2, 3.0)

Points = tuple[tuple[float, float], ...]

_RING: dict[str, Any] = {
    "marker": "o",
    "linestyle": "none",
    "fillstyle": "none",
    "markersize": 9,
    "markeredgewidth": 1.1,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """One method; every point is mean and SD over seeds, in percent.

    Args:
        label: What the legend says.
        steps: Steps taken at the end of each epoch; 0 first where every run says how it began.
        fit: Accuracy on the rows that were trained on.
        evaluated: Accuracy on the evaluated rows.
        kept: Places of the points whose parameters selection kept, of any seed.
        seeds: Seeds that were averaged.
    """

    label: str
    steps: tuple[int, ...]
    fit: Points
    evaluated: Points
    kept: tuple[int, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Curves:
    """Everything in the figure, in percent.

    Args:
        curves: The methods in order.
        seeds: Seeds of any method; each curve has its own.
        weak: Test accuracy of the weak model.
        ceiling: Test accuracy of the strong ceiling; None without its runs.
        ceiling_seeds: Seeds of the ceiling's runs.
        notes: What is drawn less of than the runs' methods would allow.
    """

    curves: tuple[Curve, ...]
    seeds: tuple[int, ...]
    weak: float
    ceiling: float | None
    ceiling_seeds: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def gather_curves(
    records: Sequence[RunRecord], methods: Mapping[str, str], read: ReadTrace
) -> Curves:
    """Averages traces over seeds; runs without accuracies are left out, with a note.

    Args:
        records: Done runs on one domain, of the methods and perhaps the ceiling.
        methods: Label by method, in order.
        read: Gives the trace of a run.

    Raises:
        PlotError: A method has no run, or no run has accuracies; all such are named.
    """
    runs = {m: [r for r in records if r.method == m and r.status == "done"] for m in methods}
    absent = [method for method, own in runs.items() if not own]
    if absent:
        raise PlotError(
            f"there are no curves of {', '.join(absent)}",
            expected="finished runs of every method",
            found="none",
            fix=f"Run `{command_line('train', curves=True, method=absent)}` first.",
        )
    drawn = measured_runs(runs, read)
    chosen = [record for own in drawn.runs.values() for record in own]
    ceiling = _ceiling(records)
    return Curves(
        curves=tuple(_curve(methods[m], own, drawn.traces) for m, own in drawn.runs.items()),
        seeds=tuple(sorted({record.seed for record in chosen})),
        weak=mean_and_sd([record.metrics["weak_accuracy"] for record in chosen])[0],
        ceiling=mean_and_sd(list(ceiling.values()))[0] if ceiling else None,
        ceiling_seeds=tuple(sorted(ceiling)),
        notes=(*drawn.notes, *_notes(drawn.runs)),
    )


def draw_curves(figure: Any, data: Curves, *, title: str = "") -> None:
    """Two panels of one height: training rows, test rows; kept epochs stand in rings."""
    panels = figure.subplots(1, 2, sharey=True)
    for panel, part in zip(panels, ("fit", "evaluated"), strict=True):
        for number, curve in enumerate(data.curves):
            _draw_curve(panel, curve, getattr(curve, part), series_style(number), data.seeds)
        panel.set_xlabel("Training step")
        panel.set_xlim(left=-0.02 * max(curve.steps[-1] for curve in data.curves))
    panels[0].set_title("Training images", loc="left")
    panels[1].set_title("Test images", loc="left")
    panels[1].plot([], [], label="kept by selection", **_RING, color=GREY)
    if data.ceiling is not None:
        label = _counted("Strong ceiling", data.ceiling_seeds, data.seeds)
        panels[1].axhline(data.ceiling, color=BLACK, linestyle="--", label=label)
    panels[1].axhline(data.weak, color=GREY, linestyle=":", label="Weak model")
    panels[0].set_ylabel("Accuracy (%)")
    handles, labels = panels[1].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside right upper", title=seeds_word(data.seeds))
    legend.get_title().set_fontsize(8)
    entitle(figure, title)


def _draw_curve(
    panel: Any, curve: Curve, points: Points, style: dict[str, Any], seeds: tuple[int, ...]
) -> None:
    means, spreads = zip(*points, strict=True)
    low = [m - s for m, s in zip(means, spreads, strict=True)]
    high = [m + s for m, s in zip(means, spreads, strict=True)]
    panel.fill_between(curve.steps, low, high, color=style["color"], alpha=0.15, linewidth=0)
    panel.plot(curve.steps, means, label=_counted(curve.label, curve.seeds, seeds), **style)
    kept = [curve.steps[place] for place in curve.kept], [means[place] for place in curve.kept]
    panel.plot(*kept, **_RING, color=style["color"])


def _counted(label: str, own: tuple[int, ...], seeds: tuple[int, ...]) -> str:
    """The label, with its number of seeds where that is not the figure's."""
    return label if own == seeds else f"{label} ({counted(len(own), 'seed')})"


def _begun(run: RunRecord) -> bool:
    """Whether a run says how it began; those of earlier versions do not."""
    return "start_accuracy" in run.metrics


def _notes(runs: Mapping[str, Sequence[RunRecord]]) -> Iterator[str]:
    """Which curves begin after the first epoch, for want of accuracies before it."""
    for method, own in runs.items():
        silent = [run for run in own if not _begun(run)]
        if silent:
            ids = ", ".join(run.run_id for run in silent)
            yield (
                f"{method} is drawn from the end of the first epoch on: {len(silent)} of "
                f"{counted(len(own), 'run')} did not record how they began; to have it, remove "
                f"{ids} from the results and run `w2s-cache train --curves` again"
            )


def _curve(label: str, runs: Sequence[RunRecord], traces: Mapping[str, Steps]) -> Curve:
    epochs = min(len(traces[run.run_id]) for run in runs)
    ends = [traces[run.run_id][:epochs] for run in runs]
    begun = all(map(_begun, runs))
    fit = [[run.metrics["start_fit_accuracy"] for run in runs]] if begun else []
    evaluated = [[run.metrics["start_accuracy"] for run in runs]] if begun else []
    fit += [[end[epoch]["fit_accuracy"] for end in ends] for epoch in range(epochs)]
    evaluated += [[end[epoch]["eval_accuracy"] for end in ends] for epoch in range(epochs)]
    kept = {run.selected["epoch"] - 1 + begun for run in runs if "epoch" in run.selected}
    return Curve(
        label=label,
        steps=(*[0] * begun, *(ends[0][epoch]["step"] + 1 for epoch in range(epochs))),
        fit=tuple(map(mean_and_sd, fit)),
        evaluated=tuple(map(mean_and_sd, evaluated)),
        kept=tuple(sorted(place for place in kept if place < len(fit))),
        seeds=tuple(sorted(run.seed for run in runs)),
    )


def _ceiling(records: Sequence[RunRecord]) -> Mapping[int, float]:
    """Scores by seed of the better model trained on ground truth, by the mean over seeds."""
    scores: dict[str, dict[int, float]] = {}
    for record in records:
        if record.status == "done" and record.method in CEILING_METHODS:
            scores.setdefault(record.method, {})[record.seed] = record.metrics["accuracy"]
    return max(scores.values(), key=lambda runs: mean_and_sd(list(runs.values()))[0], default={})
