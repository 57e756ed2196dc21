"""The lines of train and sweep."""

from __future__ import annotations

from types import SimpleNamespace

from w2s_cache.tables.rounding import half_up
from w2s_cache_cli.outcome_lines import outcome_lines


def outcome(method, seed, accuracy):
    """A run as far as its line goes."""
    metrics = {"accuracy": accuracy, "weak_accuracy": 0.5}
    told = {"method": method, "domain": "art", "seed": seed, "status": "done", "metrics": metrics}
    return SimpleNamespace(record=SimpleNamespace(**told), reused=False)


def test_numbers_are_rounded_as_tables_round_them():
    """16.25 is 16.3, whatever the last binary digit says."""
    study = SimpleNamespace(domains=["art"], methods=["cpl"])
    [line] = outcome_lines(study, [outcome("cpl", 0, 0.1625)])
    assert line == "art  cpl   16.3 (weak 50.0; n=1)"
    assert f"{100 * 0.1625:.1f}" != half_up(0.1625, 1, percent=True)


def test_columns_fit_the_longest_name():
    """Numbers begin at the same place behind every method."""
    names = ["cpl", "centred-class-means"]
    study = SimpleNamespace(domains=["art"], methods=names)
    lines = list(outcome_lines(study, [outcome(name, 0, 0.5) for name in names]))
    assert {line.index("50.0") for line in lines} == {len("art  centred-class-means   ")}
