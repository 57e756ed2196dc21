"""What a run's record and tables say, from what was classified."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from w2s_cache import __version__, metrics
from w2s_cache.neighbours.weak_labels import weak_labels
from w2s_cache.results import DIVERGED, RunRecord
from w2s_cache.train.inputs import DomainInputs
from w2s_cache.train.settings import listed_settings
from w2s_cache.train.source import blocks
from w2s_cache.train.task import Task
from w2s_cache.train.trial import Classified


def not_applicable(common: Mapping[str, Any], reason: str) -> RunRecord:
    """The record of a method that cannot run on these inputs."""
    return RunRecord(
        **common,
        status="not-applicable",
        reason=reason,
        metrics={},
        per_class_accuracy=[],
        counts=dict.fromkeys(("fit", "val", "eval", "skipped", "skipped_train"), 0),
        selected={},
        timing={},
    )


def done(
    common: Mapping[str, Any],
    task: Task,
    result: Classified,
    *,
    counts: dict[str, int],
    seconds: float,
) -> RunRecord:
    """The record of a finished run; ``common`` are the fields known before, see RunRecord."""
    inputs, evaluate = task.inputs, task.evaluate
    labels = inputs.index.labels[evaluate]
    weak = weak_labels_of(inputs, evaluate)
    per_class = metrics.per_class_accuracy(result.predicted, labels, len(inputs.index.classes))
    measured = {
        "accuracy": metrics.accuracy(result.predicted, labels),
        "agreement": metrics.agreement(result.predicted, weak),
        "weak_accuracy": metrics.accuracy(weak, labels),
        "mean_per_class_recall": metrics.mean_per_class_recall(
            result.predicted, labels, len(inputs.index.classes)
        ),
        "val_score": result.val_score,
    }
    if result.start is not None:
        measured |= {
            "start_fit_accuracy": result.start.fit,
            "start_accuracy": result.start.evaluated,
        }
    return RunRecord(
        **common,
        metrics={name: float(value) for name, value in measured.items()},
        per_class_accuracy=[None if np.isnan(value) else float(value) for value in per_class],
        counts=counts,
        selected=_selected(common["config"], result),
        timing={"train_and_predict": seconds, "runs_together": float(result.together)},
    )


def _selected(config: Mapping[str, Any], result: Classified) -> dict[str, Any]:
    """The epoch kept, the value kept of every setting that was a list, what diverged."""
    chosen = {name: result.candidate[name] for name in listed_settings({"config": config})}
    if result.epoch is not None:
        chosen = {"epoch": result.epoch + 1, **chosen}
    if result.diverged:
        chosen[DIVERGED] = [
            {"settings": dict(lost.settings), "found": lost.found} for lost in result.diverged
        ]
    return chosen


def trace_table(result: Classified) -> pa.Table | None:
    """One line per training step; None when nothing was trained."""
    return pa.Table.from_pylist([asdict(point) for point in result.trace]) if result.trace else None


def predictions_table(inputs: DomainInputs, evaluate: np.ndarray, result: Classified) -> pa.Table:
    """One line per evaluated row."""
    return pa.table(
        {
            "row": evaluate,
            "path": [inputs.index.paths[row] for row in evaluate],
            "label": inputs.index.labels[evaluate],
            "weak": weak_labels_of(inputs, evaluate),
            "predicted": result.predicted,
            "confidence": result.confidence,
        }
    )


def weak_labels_of(inputs: DomainInputs, rows: np.ndarray) -> np.ndarray:
    """The class the weak model names for each row, (m,) int64."""
    parts = blocks(inputs.weak_logits, torch.from_numpy(rows))
    return torch.cat(list(map(weak_labels, parts))).numpy()


def environment(device: str) -> dict[str, Any]:
    """Versions and device, recorded but not part of a run's identity."""
    versions = {
        "w2s-cache": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return {"versions": versions, "device": device}
