"""Train and test accuracy over steps, between weak model and strong ceiling (Li et al., Fig. 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

import pyarrow as pa

from w2s_cache.errors import PlotError
from w2s_cache.plots.spread import mean_and_sd, seeds_word
from w2s_cache.plots.style import BLACK, GREY, series_style
from w2s_cache.results import RunRecord

SIZE = (7.2, 3.0)

ReadTrace = Callable[[RunRecord], pa.Table | None]
Points = tuple[tuple[float, float], ...]

CEILINGS = "ceiling-"
"""How the names of methods that train on ground truth begin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """One method; every point is mean and SD over seeds, in percent.

    Args:
        label: What the legend says.
        steps: Steps taken at the end of each epoch.
        fit: Accuracy on the rows that were trained on.
        evaluated: Accuracy on the evaluated rows.
    """

    label: str
    steps: tuple[int, ...]
    fit: Points
    evaluated: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class Curves:
    """Everything in the figure, in percent.

    Args:
        curves: The methods in order.
        seeds: Seeds that were averaged.
        weak: Test accuracy of the weak model.
        ceiling: Test accuracy of the strong ceiling; None without its runs.
    """

    curves: tuple[Curve, ...]
    seeds: tuple[int, ...]
    weak: float
    ceiling: float | None


def gather_curves(
    records: Sequence[RunRecord], methods: Mapping[str, str], read: ReadTrace
) -> Curves:
    """Averages traces over seeds.

    Args:
        records: Done runs on one domain, of the methods and perhaps the ceiling.
        methods: Label by method, in order.
        read: Gives the trace of a run.

    Raises:
        PlotError: A method has no run, or a run's trace lacks accuracies; all such are named.
    """
    runs = {m: [r for r in records if r.method == m and r.status == "done"] for m in methods}
    absent = [method for method, own in runs.items() if not own]
    if absent:
        raise PlotError(
            f"there are no curves of {', '.join(absent)}",
            expected="finished runs of every method",
            found="none",
            fix=f"Run `w2s-cache train --curves --method {','.join(absent)}` first.",
        )
    traces = {r.run_id: _measured(read(r)) for own in runs.values() for r in own}
    _refuse_unmeasured([r for own in runs.values() for r in own if not traces[r.run_id]])
    chosen = [record for own in runs.values() for record in own]
    return Curves(
        curves=tuple(
            _curve(methods[method], [traces[r.run_id] for r in own]) for method, own in runs.items()
        ),
        seeds=tuple(sorted({record.seed for record in chosen})),
        weak=mean_and_sd([record.metrics["weak_accuracy"] for record in chosen])[0],
        ceiling=_ceiling(records),
    )


def draw_curves(figure: Any, data: Curves) -> None:
    """Two panels of one height: training rows, test rows."""
    panels = figure.subplots(1, 2, sharey=True)
    for panel, part in zip(panels, ("fit", "evaluated"), strict=True):
        for number, curve in enumerate(data.curves):
            style = series_style(number)
            means, spreads = zip(*getattr(curve, part), strict=True)
            low = [m - s for m, s in zip(means, spreads, strict=True)]
            high = [m + s for m, s in zip(means, spreads, strict=True)]
            panel.fill_between(
                curve.steps, low, high, color=style["color"], alpha=0.15, linewidth=0
            )
            panel.plot(curve.steps, means, label=curve.label, **style)
        panel.set_xlabel("Training step")
        panel.set_xlim(left=0)
    panels[0].set_title("Training images", loc="left")
    panels[1].set_title("Test images", loc="left")
    if data.ceiling is not None:
        panels[1].axhline(data.ceiling, color=BLACK, linestyle="--", label="Strong ceiling")
    panels[1].axhline(data.weak, color=GREY, linestyle=":", label="Weak model")
    panels[0].set_ylabel("Accuracy (%)")
    handles, labels = panels[1].get_legend_handles_labels()
    title = seeds_word(data.seeds)
    legend = figure.legend(handles, labels, loc="outside right upper", title=title)
    legend.get_title().set_fontsize(8)


def _measured(trace: pa.Table | None) -> list[dict[str, Any]]:
    """The steps after which accuracies were measured."""
    steps = [] if trace is None else trace.to_pylist()
    return [step for step in steps if step["eval_accuracy"] is not None]


def _refuse_unmeasured(records: Sequence[RunRecord]) -> None:
    if not records:
        return
    shown = ", ".join(f"{r.method} on {r.domain} with seed {r.seed}" for r in records[:5])
    more = f" and {len(records) - 5} more" if len(records) > 5 else ""
    methods = ",".join(dict.fromkeys(record.method for record in records))
    domain = quote(records[0].domain)
    raise PlotError(
        "traces hold no accuracies to draw",
        expected="fit_accuracy and eval_accuracy at the end of every epoch",
        found=f"none in {shown}{more}",
        fix=f"Run `w2s-cache train --curves --method {methods} --domain {domain}`.",
    )


def _curve(label: str, runs: Sequence[Sequence[Mapping[str, Any]]]) -> Curve:
    epochs = min(len(run) for run in runs)
    return Curve(
        label=label,
        steps=tuple(runs[0][epoch]["step"] + 1 for epoch in range(epochs)),
        fit=_points([[run[epoch]["fit_accuracy"] for run in runs] for epoch in range(epochs)]),
        evaluated=_points(
            [[run[epoch]["eval_accuracy"] for run in runs] for epoch in range(epochs)]
        ),
    )


def _points(epochs: Sequence[Sequence[float]]) -> Points:
    return tuple(mean_and_sd(values) for values in epochs)


def _ceiling(records: Sequence[RunRecord]) -> float | None:
    """The better of the models trained on ground truth, by the mean over seeds."""
    scores: dict[str, list[float]] = {}
    for record in records:
        if record.status == "done" and record.method.startswith(CEILINGS):
            scores.setdefault(record.method, []).append(record.metrics["accuracy"])
    return max((mean_and_sd(values)[0] for values in scores.values()), default=None)
