"""A small, lawful run to break in one place at a time."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from w2s_cache.results import RunRecord, run_id

LABEL = np.array([0, 0, 1, 1, 2])
WEAK = np.array([0, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 1, 2, 2])


def _record(**changes):
    """A record of the predictions above, with some fields changed and its identity renewed."""
    record = RunRecord(
        run_id="",
        method="cpl",
        dataset="pocket",
        domain="sketch",
        strong="pocket-clip",
        weak="resnet10t",
        spec="pocket",
        seed=0,
        protocol={
            "hold_fraction": 0.8,
            "fit_fraction": 0.8,
            "split_seed": "run",
            "eval_split": "held-out",
            "select": "weak-agreement",
        },
        config={"lr": 0.01, "tau_strong": 0.1, "tau_weak": 0.1},
        inputs={
            "request_digest": "r" * 64,
            "index_digest": "i" * 64,
            "image_key": "f" * 64,
            "logits_key": "l" * 64,
        },
        metrics={
            "accuracy": 4 / 5,
            "agreement": 4 / 5,
            "weak_accuracy": 3 / 5,
            "mean_per_class_recall": 5 / 6,
        },
        per_class_accuracy=[1.0, 0.5, 1.0, None],
        counts={"fit": 16, "val": 4, "eval": 5, "skipped": 0},
        selected={"epoch": 3, "tau": 0.1},
        timing={"train": 0.25},
        environment={"versions": {"torch": "2.6.0"}, "device": "cpu"},
        created="2026-01-02T03:04:05+00:00",
    )
    record = dataclasses.replace(record, **changes)
    if "run_id" in changes:
        return record
    return dataclasses.replace(record, run_id=run_id(record.outcome()))


@pytest.fixture
def make_record():
    """Builds lawful records: ``make_record(seed=1)``."""
    return _record


@pytest.fixture
def predictions():
    """Predictions that the record's numbers were computed from by hand."""
    return pa.table(
        {
            "row": np.array([3, 5, 8, 9, 12]),
            "path": [f"sketch/c/{n}.png" for n in range(5)],
            "label": LABEL,
            "weak": WEAK,
            "predicted": PREDICTED,
            "confidence": np.array([0.9, 0.8, 0.7, 0.6, 0.5], dtype=np.float32),
        }
    )


@pytest.fixture
def trace():
    """Two steps, the second with a validation score."""
    return pa.table(
        {
            "step": [0, 1],
            "epoch": [0, 0],
            "loss": [1.5, 1.25],
            "lr": [0.01, 0.005],
            "val_score": [None, 0.5],
        }
    )


@pytest.fixture
def head():
    """One trained array."""
    return {"prototypes": np.ones((4, 2), dtype=np.float32)}
