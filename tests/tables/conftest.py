"""Records of a small imaginary study."""

import numpy as np
import pytest

from w2s_cache.results import Predictions, RunRecord, run_id
from w2s_cache.tables import parse_layout

LAYOUT = """
name = "study"
title = "A study"
pgr = true

[rows.weak]
label = "Weak"
reference = true

[rows.lp-kd]
label = "KD + LP"
group = "Linear probe"

[rows.cpl]
label = "CPL"

[rows.ceiling]
label = "Strong ceiling"
reference = true

[delta.cpl]
against = ["lp-kd"]
"""

PROTOCOL = {
    "hold_fraction": 0.8,
    "fit_fraction": 0.8,
    "split_seed": "run",
    "eval_split": "held-out",
    "select": "weak-agreement",
}


def _record(method, domain, seed=0, accuracy=0.5, **changes):
    fields = {
        "method": method,
        "dataset": "pocket",
        "domain": domain,
        "strong": "pocket-clip",
        "weak": "resnet10t",
        "seed": seed,
        "protocol": PROTOCOL,
        "config": {"tau": 0.1, "steps": {"lr": 0.01}} if method == "cpl" else {},
        "inputs": {"index_digest": f"index of {domain}", "text_key": None},
    }
    rest = {
        "spec": "pocket",
        "metrics": {"accuracy": accuracy},
        "per_class_accuracy": [],
        "counts": {"fit": 64, "val": 16, "eval": 20, "skipped": 0},
        "selected": {},
        "timing": {},
        "environment": {"versions": {"torch": "2.6.0"}, "device": "cpu"},
        "created": "2026-01-02T03:04:05+00:00",
    }
    merged = fields | rest | changes
    outcome = {name: merged[name] for name in fields}
    return RunRecord(run_id=run_id(outcome), **merged)


@pytest.fixture
def make():
    """Builds a record: ``make("cpl", "art", seed=1, accuracy=0.7)``."""
    return _record


@pytest.fixture
def layout():
    """A small table with every kind of row."""
    return parse_layout(LAYOUT, origin="study.toml")


@pytest.fixture
def study():
    """Two domains, two seeds, all methods; scores chosen so that no rounding is close."""
    scores = {
        "weak": {"art": [0.40, 0.42], "sketch": [0.30, 0.30]},
        "lp-kd": {"art": [0.50, 0.52], "sketch": [0.35, 0.37]},
        "cpl": {"art": [0.60, 0.64], "sketch": [0.34, 0.36]},
        "ceiling-lp": {"art": [0.80, 0.82], "sketch": [0.70, 0.70]},
        "ceiling-cpl": {"art": [0.78, 0.80], "sketch": [0.74, 0.76]},
    }
    return [
        _record(method, domain, seed, accuracy)
        for method, domains in scores.items()
        for domain, values in domains.items()
        for seed, accuracy in enumerate(values)
    ]


def _answers(rng, labels, share):
    """Predictions right with this chance, over 4 classes."""
    return np.where(rng.random(len(labels)) < share, labels, (labels + 1) % 4)


@pytest.fixture
def answered(make):
    """Records with predictions: two domains of 40 images, two seeds of 20 of them each."""
    rng = np.random.default_rng(0)
    records, predictions = [], {}
    shares = {"lp-kd": 0.5, "cpl": 0.7, "ceiling-lp": 0.9, "ceiling-cpl": 0.9}
    for domain in ("art", "sketch"):
        for seed in (0, 1):
            rows = np.sort(rng.choice(40, 20, replace=False))
            weak = _answers(rng, rows % 4, 0.4)
            for method, share in shares.items():
                given = _answers(rng, rows % 4, share)
                weak_accuracy = float(np.mean(weak == rows % 4))
                accuracy = float(np.mean(given == rows % 4))
                metrics = {"accuracy": accuracy, "weak_accuracy": weak_accuracy}
                record = make(method, domain, seed, metrics=metrics)
                records.append(record)
                predictions[record.run_id] = Predictions(
                    row=rows,
                    path=tuple(f"{domain}/{row}.png" for row in rows),
                    label=rows % 4,
                    weak=weak,
                    predicted=given,
                )
    return records, lambda record: predictions[record.run_id]
