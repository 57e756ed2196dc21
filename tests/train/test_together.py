"""Runs that train together give what each gives alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.linear import LinearHead
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.losses.aug_conf import AugConf
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.losses.distillation import Distillation
from w2s_cache.losses.product import Product
from w2s_cache.losses.protocol import stackable
from w2s_cache.results import read_trace
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import fit
from w2s_cache.train.run import RunRequest, run
from w2s_cache.train.stack import FitData, Learner

ROWS, CLASSES, WIDTH = 70, 5, 6
CONFIG = TrainConfig(lr=0.02, epochs=4, batch_size=16)
LOSSES = {
    "ce": CrossEntropy(tau_strong=0.2),
    "kd": Distillation(tau_strong=0.2, rescale=True),
    "adapt": AdaptConf(tau_strong=0.2, ramp=0.5),
    "aux-none": AuxConf(tau_strong=0.2, balance="none"),
    "aux-batch": AuxConf(tau_strong=0.2),
    "aux-global": AuxConf(tau_strong=0.2, balance="global"),
    "aug": AugConf(tau_strong=0.2),
    "product": Product(tau_strong=0.2),
}
HEADS = {"linear": LinearHead(), "prototypes": PrototypeHead()}


def drawn(seed, *shape):
    """Seeded Gaussian numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def learner(head, seed):
    """A run with its own start, rows, val rows and order."""
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(seed))
    start = {"prototypes": drawn(seed, CLASSES, WIDTH)}
    if isinstance(head, LinearHead):
        start = {"weight": drawn(seed, CLASSES, WIDTH), "bias": drawn(seed + 1, CLASSES)}
    return Learner(
        start=start,
        rows=order[:40],
        val_rows=order[40:55],
        val_labels=order[:15] % CLASSES,
        generator=torch.Generator().manual_seed(seed),
    )


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_stack_gives_every_run_what_it_gets_alone(head, loss):
    """Parameters, losses, scores and epochs of three runs agree to float32 rounding."""
    assert stackable(head, loss)
    prepared = head.prepare(drawn(7, ROWS, WIDTH))
    data = FitData(prepared=prepared, targets=loss.targets(2 * drawn(8, ROWS, CLASSES)))
    seeds = (11, 22, 33)
    together = fit(head, loss, data, [learner(head, seed) for seed in seeds], CONFIG)
    for seed, found in zip(seeds, together, strict=True):
        [alone] = fit(head, loss, data, [learner(head, seed)], CONFIG)
        assert (found.epoch, found.val_score) == (alone.epoch, alone.val_score)
        for name, value in alone.parameters.items():
            torch.testing.assert_close(found.parameters[name], value, rtol=1e-4, atol=1e-5)
        for one, other in zip(found.trace, alone.trace, strict=True):
            assert one.loss == pytest.approx(other.loss, rel=1e-4)
            assert replace(one, loss=0.0) == replace(other, loss=0.0)


def test_runs_of_a_stack_do_not_touch_each_other():
    """Another start of one run leaves the bits of its neighbours as they were."""
    head, loss = HEADS["linear"], LOSSES["kd"]
    data = FitData(
        prepared=drawn(7, ROWS, WIDTH), targets=loss.targets(2 * drawn(8, ROWS, CLASSES))
    )
    other = replace(
        learner(head, 22), start={"weight": drawn(1, CLASSES, WIDTH), "bias": drawn(2, CLASSES)}
    )
    first = fit(head, loss, data, [learner(head, 11), learner(head, 22)], CONFIG)
    second = fit(head, loss, data, [learner(head, 11), other], CONFIG)
    assert torch.equal(first[0].parameters["weight"], second[0].parameters["weight"])
    assert not torch.equal(first[1].parameters["weight"], second[1].parameters["weight"])


def test_the_global_balance_looks_at_all_rows_once_an_epoch():
    """Four epochs of three steps: four looks, each at the 40 rows of the run."""
    looks = []

    class Watching(AuxConf):
        def survey(self, logits, targets):
            looks.append(logits.shape)
            return super().survey(logits, targets)

    head, loss = HEADS["linear"], Watching(balance="global")
    data = FitData(
        prepared=drawn(7, ROWS, WIDTH), targets=loss.targets(2 * drawn(8, ROWS, CLASSES))
    )
    fit(head, loss, data, [learner(head, 11)], CONFIG)
    assert looks == [(40, CLASSES)] * 4


def test_the_global_balance_holds_over_all_rows():
    """Rows that all prefer one class are hardened in the weak labels' proportions all the same."""
    loss = AuxConf(balance="global")
    logits = drawn(3, 400, 4) + torch.tensor([3.0, 0, 0, 0])
    weak = torch.eye(4)[torch.arange(400) % 4].clamp_min(1e-6).log()
    targets = loss.targets(weak)
    own = loss.harden(logits, {**targets, **loss.survey(logits, targets)})
    assert functional.one_hot(own, 4).sum(0).tolist() == pytest.approx([100] * 4, abs=4)


@pytest.mark.parametrize("method", ["lp-ce", "lp-aux", "cpl", "cpl-random", "soft-class-means"])
def test_seeds_of_a_method_run_together_as_they_run_alone(toy, method):
    """Predictions of three seeds trained as one stack are those of three single runs."""
    inputs, options = toy.inputs(), {} if method == "soft-class-means" else {"tau": [1.0, 0.2]}
    request = RunRequest(
        spec=toy.spec,
        features=toy.features(),
        method=method,
        seeds=(0, 1, 2),
        options=options,
        device="cpu",
    )
    together = run(request, inputs, toy.results / "together")
    for seed, outcome in enumerate(together):
        [alone] = run(replace(request, seeds=(seed,)), inputs, toy.results / "alone")
        assert outcome.record.run_id == alone.record.run_id
        assert outcome.record.metrics == pytest.approx(alone.record.metrics)
        assert outcome.record.selected == alone.record.selected
    trained = method != "soft-class-means"
    assert together[0].record.timing["runs_together"] == (3 if trained else 1)


def test_only_the_missing_seeds_are_run(toy):
    """Seed 1 exists: it is reused, 0 and 2 are made, and outcomes keep the order asked for."""
    toy.run("lp-ce", seed=1)
    request = RunRequest(
        spec=toy.spec,
        features=toy.features(),
        method="lp-ce",
        seeds=(2, 1, 0),
        options={},
        device="cpu",
    )
    outcomes = run(request, toy.inputs(), toy.results)
    assert [outcome.record.seed for outcome in outcomes] == [2, 1, 0]
    assert [outcome.reused for outcome in outcomes] == [False, True, False]


def test_a_head_that_does_not_stack_trains_alone(toy, monkeypatch):
    """A head without the mark gets no leading dimension."""
    monkeypatch.setattr(LinearHead, "stackable", False)
    request = RunRequest(
        spec=toy.spec,
        features=toy.features(),
        method="lp-ce",
        seeds=(0, 1),
        options={},
        device="cpu",
    )
    outcomes = run(request, toy.inputs(), toy.results)
    assert [outcome.record.timing["runs_together"] for outcome in outcomes] == [1, 1]


@pytest.mark.parametrize("method", ["lp-ce", "cpl"])
def test_recipe_settings_of_a_method_replace_the_specs(toy, method):
    """`recipe.epochs` trains that many epochs, stands in the record and makes another run."""
    plain, short = toy.run(method), toy.run(method, **{"recipe.epochs": 1})
    assert short.record.config["recipe"] == {**plain.record.config["recipe"], "epochs": 1}
    assert short.record.selected["epoch"] == 1
    assert short.record.run_id != plain.record.run_id


def test_recipe_settings_may_be_candidates(toy):
    """Of two learning rates val keeps one, and the record names it."""
    record = toy.run("lp-ce", **{"recipe.lr": [1e-6, 0.1]}).record
    assert record.selected["recipe.lr"] == 0.1


def test_an_unknown_recipe_setting_is_refused(toy):
    """The error lists the settings there are."""
    with pytest.raises(TrainError, match=r"no trainer setting recipe\.rate.*one of optimizer, lr"):
        toy.run("lp-ce", **{"recipe.rate": 1})


def test_curves_are_accuracies_by_ground_truth_at_the_end_of_epochs(toy):
    """The last epoch's evaluation accuracy is the record's when the last epoch is kept."""
    last = toy.with_protocol(select="last")
    request = RunRequest(
        spec=last.spec,
        features=last.features(),
        method="lp-ce",
        seeds=(0, 1),
        options={},
        device="cpu",
    )
    inputs = last.inputs()
    run(request, inputs, last.results)
    outcomes = run(replace(request, curves=True), inputs, last.results)
    assert [outcome.reused for outcome in outcomes] == [False, False]
    for outcome in outcomes:
        trace = read_trace(last.results, outcome.record).to_pylist()
        measured = [line["eval_accuracy"] for line in trace if line["val_score"] is not None]
        assert len(measured) == 3
        start = {"start_fit_accuracy", "start_accuracy"}
        assert start <= set(outcome.record.metrics)
        assert measured[-1] == pytest.approx(outcome.record.metrics["accuracy"])
        assert all(line["eval_accuracy"] is None for line in trace if line["val_score"] is None)
    assert all(
        outcome.reused for outcome in run(replace(request, curves=True), inputs, last.results)
    )


def test_curves_say_how_training_began(toy):
    """Before the first step a method that starts from text is zero-shot on the same rows."""
    request = RunRequest(
        spec=toy.spec,
        features=toy.features(),
        method="cpl",
        seeds=(0, 1),
        options={},
        device="cpu",
        curves=True,
    )
    inputs = toy.inputs()
    begun = [outcome.record for outcome in run(request, inputs, toy.results)]
    still = replace(request, method="zero-shot", curves=False)
    zero_shot = [outcome.record for outcome in run(still, inputs, toy.results)]
    for one, other in zip(begun, zero_shot, strict=True):
        assert one.metrics["start_accuracy"] == pytest.approx(other.metrics["accuracy"])
