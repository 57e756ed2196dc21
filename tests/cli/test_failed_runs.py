"""Runs that fail among others: the others are kept, the failed ones named, and the exit says so."""

from __future__ import annotations

import pytest


@pytest.fixture
def where(cached, tmp_path):
    """The options that name spec, cache and results."""
    places = {"spec": cached.spec, "cache-dir": cached.cache, "results-dir": tmp_path / "results"}
    return [part for name, path in places.items() for part in (f"--{name}", path)]


@pytest.mark.parametrize("command", ["train", "sweep"])
def test_failed_runs_are_named_when_the_others_are_done(cached, w2s, where, tmp_path, command):
    """Two of four runs have no finite answer: exit 1, and the other two have records."""
    section = "epochs = 2\nbatch_size = 8\n[train.methods.soft-class-means]\ntau_weak = 1e-50\n"
    where[1] = cached.edited("epochs = 2\nbatch_size = 8\n", section, tmp_path)
    options = ("--domain", "art", "--method", "soft-class-means,cpl", "--seeds", "0,1")
    told = w2s(command, *where, *options)
    assert told.exit_code == 1
    assert "Error: 2 of 4 runs failed: expected every run to finish, found " in told.stderr
    for seed in (0, 1):
        words = f"soft-class-means on art with seed {seed} diverged: tau_weak = 1e-50"
        assert words in told.stderr
    assert "cpl" in told.stdout
    records = list(tmp_path.rglob("record.json"))
    assert [path.parts[-3] for path in records] == ["cpl", "cpl"]


def test_a_candidate_that_diverged_is_said_and_stands_under_the_table(w2s, where):
    """Training goes on with the finite candidate, aloud; the footer counts the runs it was lost."""
    options = ("--method", "soft-class-means", "--set", "tau_weak=[1e-50,1.0]")
    told = w2s("train", *where, *options)
    assert told.exit_code == 0, told.output
    said = "a candidate diverged and is left out of selection: tau_weak = 1e-50: NaN or infinity in"
    assert told.stderr.count(said) == 4
    table = w2s("tables", *where[:2], *where[4:], "--set", "tau_weak=[1e-50,1.0]")
    assert table.exit_code == 0, table.output
    counted = "kept on val: tau_weak 1.0 in 4 runs; diverged and left out: tau_weak 1e-50 in 4 runs"
    assert counted in " ".join(table.stdout.split())
