"""What diverges is left out by name and takes nothing with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from w2s_cache.errors import TrainError
from w2s_cache.heads.linear import LinearHead
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.results import check_run
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import Exploded, Fitted, fit
from w2s_cache.train.outcome import RunFailure, RunOutcome, refuse_failures
from w2s_cache.train.run import RunRequest, run
from w2s_cache.train.stack import FitData, Learner
from w2s_cache.train.study import run_study

NO_FLOAT = 1e-50  # float32 cannot hold a temperature this small


def requested(toy, method, seeds, **options):
    """Some seeds of a method."""
    return RunRequest(
        spec=toy.spec,
        features=toy.features(),
        method=method,
        seeds=seeds,
        options=options,
        device="cpu",
    )


@pytest.mark.parametrize(
    ("method", "setting", "value", "found"),
    [
        ("cpl", "tau_weak", NO_FLOAT, "a loss of nan at step 0"),
        ("lp-ce", "recipe.lr", 1e38, "a loss of"),
        ("soft-class-means", "tau_weak", NO_FLOAT, "NaN or infinity in prototypes"),
        ("pooled-lda", "weak_share", 3e38, "equations of the start that have no solution"),
    ],
)
def test_a_diverging_candidate_is_left_out_of_selection(toy, bits, method, setting, value, found):
    """The run is that of the finite candidate alone; what was left out is recorded and said."""
    said = []
    usual = {"recipe.lr": 0.1}.get(setting, 1.0)
    alone = toy.run(method, **{setting: usual})
    both = toy.run(method, say=said.append, **{setting: [value, usual]})
    assert bits(both) == bits(alone)
    assert both.record.chosen() == {setting: usual}
    [lost] = both.record.selected["diverged"]
    assert lost["settings"] == {setting: value}
    assert found in lost["found"]
    assert said == [
        f"{method} on art with seed 0: a candidate diverged and is left out of selection: "
        f"{setting} = {value}: {lost['found']}"
    ]
    assert check_run(both.directory) == []
    assert "diverged" not in alone.record.selected


def test_a_run_without_a_finite_candidate_names_all_of_them(toy):
    """Method, domain, seed and every value; nothing is written."""
    words = r"soft-class-means on art with seed 3 diverged.*tau_weak = 1e-50: .*tau_weak = 1e-49: "
    with pytest.raises(TrainError, match=words) as caught:
        toy.run("soft-class-means", seed=3, tau_weak=[NO_FLOAT, 1e-49])
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
    assert not toy.results.exists()


def test_a_run_that_explodes_leaves_its_neighbours_in_the_stack_alone():
    """Of three runs the one that starts at infinity fails; the others keep every bit."""
    rows = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    loss, every = CrossEntropy(), torch.arange(12)
    data = FitData(prepared=rows, targets=loss.targets(rows[:, :3]))

    def learner(seed, factor):
        drawn = torch.randn(3, 4, generator=torch.Generator().manual_seed(seed))
        return Learner(
            start={"weight": drawn * factor, "bias": torch.zeros(3)},
            rows=every,
            val_rows=every,
            val_labels=every % 3,
            generator=torch.Generator().manual_seed(seed),
        )

    config = TrainConfig(epochs=2, batch_size=4)
    plain = fit(LinearHead(), loss, data, [learner(seed, 1.0) for seed in (0, 1, 2)], config)
    broken = [learner(0, 1.0), learner(1, torch.inf), learner(2, 1.0)]
    first, second, third = fit(LinearHead(), loss, data, broken, config)
    assert isinstance(second, Exploded)
    assert second.step == 0
    for found, expected in ((first, plain[0]), (third, plain[2])):
        assert isinstance(found, Fitted)
        assert torch.equal(found.parameters["weight"], expected.parameters["weight"])
        assert found.trace == expected.trace


def test_a_seed_that_diverges_keeps_no_other_from_being_saved(toy, monkeypatch):
    """Two of three seeds have records, in the order asked for; the third is a named failure."""
    inputs = toy.inputs()
    whole = run(requested(toy, "lp-ce", (0, 1, 2)), inputs, toy.results / "whole")
    real = torch.rand

    def broken(*shape, generator):
        drawn = real(*shape, generator=generator)
        return drawn * torch.inf if generator.initial_seed() in marked else drawn

    from w2s_cache.train.streams import stream

    marked = {stream(1, "start").initial_seed()}
    monkeypatch.setattr(torch, "rand", broken)
    outcomes = run(requested(toy, "lp-ce", (0, 1, 2)), inputs, toy.results)
    first, failed, third = outcomes
    assert isinstance(failed, RunFailure)
    assert failed.error.what == "lp-ce on art with seed 1 diverged"
    for outcome, expected in ((first, whole[0]), (third, whole[2])):
        assert isinstance(outcome, RunOutcome)
        assert outcome.record.metrics == expected.record.metrics
    assert len(list(toy.results.glob("toy/*/lp-ce/*/record.json"))) == 2


def test_a_study_goes_on_after_a_failure(toy, make_toy):
    """Methods and domains behind the failed one are run; the failure stands in its place."""
    make_toy(domain="photo")
    methods = {"soft-class-means": {"tau_weak": NO_FLOAT}}
    train = toy.spec.train.model_copy(update={"methods": methods})
    edited = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    changes = {"methods": ("soft-class-means", "weak"), "domains": ("art", "photo"), "seeds": (0,)}
    ended = list(run_study(edited.study(**changes), home=toy.home, results_dir=toy.results))
    assert [type(one) for one in ended] == [RunFailure, RunOutcome] * 2
    with pytest.raises(TrainError, match=r"2 of 4 runs failed.*on art with seed 0.*on photo with"):
        refuse_failures([one for one in ended if isinstance(one, RunFailure)], runs=4)


def test_inputs_that_fail_a_domain_fail_no_other(toy, make_toy):
    """Images of one domain that cannot be decoded: all seeds fail, the other domain is run."""
    make_toy(domain="photo", invalid=tuple(range(50, 150)))
    changes = {"methods": ("weak",), "domains": ("photo", "art"), "seeds": (0, 1)}
    study = toy.study(**changes)
    failed, *others = run_study(study, home=toy.home, results_dir=toy.results)
    assert (failed.domain, failed.seeds) == ("photo", (0, 1))
    assert [one.record.domain for one in others] == ["art", "art"]
    with pytest.raises(TrainError) as caught:
        refuse_failures([failed], runs=4)
    assert caught.value is failed.error
