"""Methods that train through the text tower, from cached features to records."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from w2s_cache.errors import EncoderError, NoTextTowerError
from w2s_cache.results import check_run, read_head, read_trace
from w2s_cache.train.outcome import RunFailure, RunOutcome, refuse_failures
from w2s_cache.train.run import RunRequest, run
from w2s_cache.train.study import run_study

METHODS = ["tp-ce", "tp-kd", "tp-aux", "tp-adapt", "ceiling-tp", "text-encoder"]


@pytest.fixture
def trained(text_tower):
    """Runs with a tower at hand."""
    return partial(run_through, lambda _: text_tower)


def run_through(tower, toy, method, seeds=(0,), **options) -> list[RunOutcome]:
    """Runs a method with whatever attaches the tower."""
    request = RunRequest(
        spec=toy.spec,
        features=toy.features(),
        method=method,
        seeds=seeds,
        options=options,
        device="cpu",
        tower=tower,
    )
    return run(request, toy.inputs(), toy.results)


@pytest.mark.parametrize("method", METHODS)
def test_a_run_through_the_tower_leaves_a_lawful_record(toy, trained, method):
    """Every step of the trace is there, the kept tensors are small, no law is broken."""
    [outcome] = trained(toy, method)
    assert outcome.record.status == "done"
    assert check_run(outcome.directory) == []
    kept = read_head(toy.results, outcome.record)
    assert set(kept) == ({"prototypes"} if method == "text-encoder" else {"context"})


def test_training_through_the_tower_leaves_it_alone(toy, trained, text_tower):
    """Neither prompts nor a tuned encoder write into the tower that other runs share."""
    before = {name: value.clone() for name, value in text_tower.network.state_dict().items()}
    trained(toy, "tp-ce", seeds=(0, 1))
    trained(toy, "text-encoder", **{"recipe.lr": 1e-3})
    for name, value in text_tower.network.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("method", ["tp-kd", "text-encoder"])
def test_seeds_run_through_the_tower_one_by_one(toy, trained, method):
    """Two seeds make two runs of one each, with different numbers."""
    outcomes = trained(toy, method, seeds=(0, 1), **{"recipe.lr": 1e-2})
    assert [outcome.record.timing["runs_together"] for outcome in outcomes] == [1, 1]
    heads = [read_head(toy.results, outcome.record) for outcome in outcomes]
    name = next(iter(heads[0]))
    assert (heads[0][name] != heads[1][name]).any()


def test_a_tuned_encoder_lowers_its_loss(toy, trained):
    """At a rate of 1e-2 the last step's loss is below the first's."""
    [outcome] = trained(toy, "text-encoder", **{"recipe.lr": 1e-2, "recipe.epochs": 6})
    losses = read_trace(toy.results, outcome.record).column("loss").to_pylist()
    assert losses[-1] < 0.9 * losses[0]


def test_a_tower_that_cannot_be_attached_is_not_applicable(toy):
    """The record says why, and no other method is kept from running."""

    def refuse(_identity):
        raise NoTextTowerError("no such tower", expected="one", found="none", fix="Choose another.")

    [outcome] = run_through(refuse, toy, "tp-ce")
    assert (outcome.record.status, outcome.record.reason) == ("not-applicable", "no such tower")


def test_a_tower_that_only_failed_to_load_leaves_no_record(toy, trained):
    """Absent or other weights are an error, no property of the encoder: later the run is made."""

    def offline(_identity):
        raise EncoderError("cannot load", expected="weights", found="none", fix="Try again.")

    with pytest.raises(EncoderError, match="cannot load"):
        run_through(offline, toy, "tp-ce")
    assert not list(toy.results.rglob("record.json"))
    [outcome] = trained(toy, "tp-ce")
    assert (outcome.record.status, outcome.reused) == ("done", False)


def test_the_tower_is_asked_for_with_the_identity_of_the_cached_text(toy, text_tower):
    """What the text store's key says of its encoder reaches whoever attaches the tower."""
    asked = []

    def attach(identity):
        asked.append(identity)
        return text_tower

    run_through(attach, toy, "tp-ce")
    assert asked == [toy.inputs().text_identity]


def test_a_tower_that_fails_to_load_takes_no_other_method_with_it(toy):
    """In a study those runs are put aside and named; the others are made."""

    def offline(_identity):
        raise EncoderError("cannot load", expected="weights", found="none", fix="Try again.")

    study = toy.study(methods=("tp-ce", "cpl"), seeds=(0,), tower=offline)
    failed, done = run_study(study, home=toy.home, results_dir=toy.results)
    assert isinstance(failed, RunFailure)
    assert (failed.method, failed.seeds) == ("tp-ce", (0,))
    assert done.record.method == "cpl"
    with pytest.raises(EncoderError, match="cannot load"):
        refuse_failures([failed], 2)
