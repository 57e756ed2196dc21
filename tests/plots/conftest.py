"""Records to draw: two methods, two domains, two seeds."""

import pytest

from w2s_cache.results import RunRecord, run_id

PROTOCOL = {
    "hold_fraction": 0.8,
    "fit_fraction": 0.8,
    "split_seed": "run",
    "eval_split": "held-out",
    "select": "weak-agreement",
}


def _record(method="cpl", domain="art", seed=0, accuracy=0.5, **changes):
    fields = {
        "method": method,
        "dataset": "pocket",
        "domain": domain,
        "strong": "pocket-clip",
        "weak": "tiny",
        "seed": seed,
        "protocol": PROTOCOL,
        "config": {"options": {"tau": 0.1}, "recipe": {"lr": 0.01}},
        "inputs": {"index_digest": f"index of {domain}"},
    }
    rest = {
        "spec": "pocket",
        "metrics": {"accuracy": accuracy, "weak_accuracy": 0.25},
        "per_class_accuracy": [],
        "counts": {"fit": 64, "val": 16, "eval": 20, "skipped": 0},
        "selected": {"epoch": 1},
        "timing": {},
        "environment": {"versions": {"torch": "2.6.0"}, "device": "cpu"},
        "created": "2026-01-02T03:04:05+00:00",
    }
    merged = fields | rest | changes
    return RunRecord(run_id=run_id({name: merged[name] for name in fields}), **merged)


@pytest.fixture
def make():
    """Builds a record: ``make("cpl", "art", seed=1, accuracy=0.7)``."""
    return _record
