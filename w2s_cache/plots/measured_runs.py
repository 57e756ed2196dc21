"""Which runs kept accuracies that can be drawn, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from w2s_cache.counted import counted
from w2s_cache.errors import PlotError
from w2s_cache.results import RunRecord
from w2s_cache.results.lacking import Needed, cure, grouped

ReadTrace = Callable[[RunRecord], pa.Table | None]
Runs = Mapping[str, Sequence[RunRecord]]
Steps = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredRuns:
    """What there is to draw.

    Args:
        runs: By method those with accuracies; methods without any are not there.
        traces: By run, the steps after which accuracies were measured.
        notes: What is left out, and the command that adds it.
    """

    runs: Runs
    traces: Mapping[str, Steps]
    notes: tuple[str, ...]


def measured_runs(runs: Runs, read: ReadTrace) -> MeasuredRuns:
    """Sorts out the runs with accuracies.

    Args:
        runs: Done runs on one domain by method.
        read: Gives the trace of a run.

    Raises:
        PlotError: No run has any; all are named with the command that adds them.
    """
    traces = {run.run_id: _measured(read(run)) for own in runs.values() for run in own}
    kept = {name: [run for run in own if traces[run.run_id]] for name, own in runs.items()}
    bare = [run for own in runs.values() for run in own if not traces[run.run_id]]
    untrained = [name for name, own in runs.items() if not any(map(_trained, own))]
    lacking = [Needed(run.method, run.domain, run.seed) for run in bare if _trained(run)]
    if not any(kept.values()):
        raise _nothing_measured(lacking, untrained)
    return MeasuredRuns(
        runs={name: own for name, own in kept.items() if own},
        traces=traces,
        notes=tuple(_notes(lacking, untrained)),
    )


def _measured(trace: pa.Table | None) -> Steps:
    steps = [] if trace is None else trace.to_pylist()
    return [step for step in steps if step["eval_accuracy"] is not None]


def _trained(run: RunRecord) -> bool:
    """Whether it took training steps; without them `train --curves` finds nothing to keep."""
    return "epoch" in run.selected


def _notes(lacking: Sequence[Needed], untrained: Sequence[str]) -> Iterator[str]:
    if lacking:
        count = counted(len(lacking), "run")
        yield (
            f"{count} left out, trained without --curves: {grouped(lacking)}; to add them, run "
            f"`{cure(lacking, curves=True)}`"
        )
    if untrained:
        yield f"without training steps, left out: {', '.join(untrained)}"


def _nothing_measured(lacking: Sequence[Needed], untrained: Sequence[str]) -> PlotError:
    train = f"Run `{cure(lacking, curves=True)}`."
    return PlotError(
        "traces hold no accuracies to draw",
        expected="fit_accuracy and eval_accuracy at the end of every epoch",
        found=f"none in {grouped(lacking) if lacking else ', '.join(untrained)}",
        fix=train if lacking else "Name methods that are trained, such as lp-kd or cpl.",
    )
