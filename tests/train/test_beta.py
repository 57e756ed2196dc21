"""Laws of AdaptConf's β of a finished run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from w2s_cache.errors import StaleStoreError, TrainError
from w2s_cache.heads.prompts import PromptRecipe, attach_prompts
from w2s_cache.results import read_head
from w2s_cache.train.beta import pooled, run_beta
from w2s_cache.train.rows import usable_rows
from w2s_cache.train.run import RunRequest, run


def beta_of_run(toy, outcome):
    """β as the figure gets it."""
    return run_beta(outcome.record, read_head(toy.results, outcome.record), toy.inputs())


def test_beta_is_the_published_quotient(toy):
    """exp(c_s/T) / (exp(c_s/T) + exp(c_w/T)) in float64, from the stored head and the features."""
    outcome = toy.run("lp-adapt", temperature=2.0, tau_strong=0.5)
    told = beta_of_run(toy, outcome)
    head = read_head(toy.results, outcome.record)
    fit = usable_rows(toy.spec.protocol, toy.inputs(), 0)[0].fit
    logits = toy.arrays["features"][fit].astype(float) @ head["weight"].T + head["bias"]
    logits /= 0.5
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    weak = toy.arrays["weak"][fit].argmax(axis=1)
    own, other = (
        np.exp(-np.log(shares[np.arange(len(fit)), named]) / 2.0)
        for named in (logits.argmax(axis=1), weak)
    )
    assert told.end == pytest.approx(own / (own + other), abs=1e-6)
    assert np.array_equal(told.end_agrees, logits.argmax(axis=1) == weak)
    assert len(told.start) == outcome.record.counts["fit"]


@pytest.mark.parametrize("method", ["lp-adapt", "cpl-adapt"])
def test_without_learning_the_end_is_the_start(toy, method):
    """The start is the one that training itself began with, seed by seed."""
    train = toy.spec.train.model_copy(update={"lr": 1e-12})
    still = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    for seed in (0, 1):
        told = beta_of_run(still, still.run(method, seed=seed))
        assert told.start == pytest.approx(told.end, abs=1e-5)
        assert np.array_equal(told.start_agrees, told.end_agrees)


def test_beta_of_learned_prompts_goes_through_the_tower(toy, text_tower):
    """Start and end are those of the prompts' own logits; without a tower it is refused."""
    train = toy.spec.train.model_copy(update={"lr": 1e-12})
    still = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    request = RunRequest(
        spec=still.spec,
        features=still.features(),
        method="tp-adapt",
        seeds=(0,),
        options={},
        device="cpu",
        tower=lambda _: text_tower,
    )
    [outcome] = run(request, still.inputs(), still.results)
    kept = read_head(still.results, outcome.record)
    told = run_beta(outcome.record, kept, still.inputs(), lambda _: text_tower)
    assert told.start == pytest.approx(told.end, abs=1e-5)
    head = attach_prompts(PromptRecipe(), text_tower, still.inputs().index.classes)
    fit = usable_rows(still.spec.protocol, still.inputs(), 0)[0].fit
    prepared = head.prepare(still.inputs().features[fit])
    own = head.logits({"context": torch.from_numpy(kept["context"])}, prepared).argmax(dim=-1)
    agrees = own == still.inputs().weak_logits[fit].argmax(dim=-1)
    assert np.array_equal(told.end_agrees, agrees.numpy())
    with pytest.raises(TrainError, match="trains through the text tower"):
        run_beta(outcome.record, kept, still.inputs())


def test_a_chosen_hyper_parameter_is_the_one_that_was_kept(toy):
    """Of candidates, the record names the one that made the stored head."""
    train = toy.spec.train.model_copy(update={"lr": 1e-12})
    still = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    listed = still.run("cpl-adapt", tau=[0.05, 5.0])
    kept = listed.record.selected["tau"]
    alone = still.run("cpl-adapt", tau=kept)
    assert np.array_equal(beta_of_run(still, listed).end, beta_of_run(still, alone).end)


def test_beta_is_half_exactly_where_both_agree(toy):
    """Elsewhere it is below one half."""
    told = beta_of_run(toy, toy.run("lp-adapt"))
    assert (told.end[told.end_agrees] == 0.5).all()
    assert (told.end[~told.end_agrees] < 0.5).all()


def test_pooled_runs_stand_side_by_side(toy):
    """Every row of every run counts once."""
    one, other = (beta_of_run(toy, toy.run("lp-adapt", seed=seed)) for seed in (0, 1))
    both = pooled([one, other])
    assert both.end.tolist() == [*one.end.tolist(), *other.end.tolist()]
    assert len(both.start) == len(both.start_agrees) == len(both.end_agrees) == len(both.end)


@pytest.mark.parametrize("method", ["lp-kd", "weak", "soft-class-means", "cpl"])
def test_methods_under_another_loss_are_refused(toy, method):
    """They have no β; those that have are named."""
    outcome = toy.run(method)
    with pytest.raises(TrainError, match="lp-adapt, tp-adapt or cpl-adapt"):
        beta_of_run(toy, outcome)


def test_features_that_changed_are_refused(toy, relabel):
    """A stored head belongs to the features it was trained on; what differs is named."""
    outcome = toy.run("lp-adapt")
    other = relabel(toy.inputs(), np.array([3]))
    with pytest.raises(StaleStoreError, match="expected index_digest"):
        run_beta(outcome.record, read_head(toy.results, outcome.record), other)
