"""Studies: everything that can be refused is refused before the first run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from w2s_cache.errors import StaleStoreError, StoreError, TrainError, UnknownNameError
from w2s_cache.train.study import run_study


def collect(toy, **changes):
    """Runs a whole study."""
    return list(run_study(toy.study(**changes), home=toy.home, results_dir=toy.results))


def test_every_method_and_seed_of_every_domain_is_run_in_order(toy, make_toy):
    """Outcomes come by domain, then method, then seed; the second time all are reused."""
    make_toy(domain="photo")
    expected = [
        (domain, method, seed)
        for domain in ("photo", "art")
        for method in ("weak", "cpl")
        for seed in (0, 1)
    ]
    for reused in (False, True):
        outcomes = collect(toy, domains=("photo", "art"))
        records = [outcome.record for outcome in outcomes]
        assert [(r.domain, r.method, r.seed) for r in records] == expected
        assert all(outcome.reused is reused for outcome in outcomes)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"methods": ("weak", "cpll")}, UnknownNameError, "Did you mean 'cpl'"),
        ({"methods": ()}, TrainError, "at least one method"),
        ({"methods": ("lp-kd",), "options": {"tua": 1}}, TrainError, "no hyper-parameter 'tua'"),
        ({"methods": ("lp-kd",), "options": {"tau": []}}, TrainError, "tau has no candidates"),
        ({"methods": ("cpl",), "options": {"tau": [1, -1]}}, TrainError, "a finite number above"),
        ({"domains": ("art", "photo")}, StoreError, "extract --domain photo"),
    ],
)
def test_what_is_wrong_stops_a_study_before_its_first_run(toy, changes, error, words):
    """Unknown names, meaningless values and missing features leave no results folder."""
    with pytest.raises(error, match=words):
        collect(toy, **changes)
    assert not toy.results.exists()


def test_a_misspelt_section_of_a_method_stops_a_study(toy, monkeypatch):
    """`[train.methods.cpI]` is refused by its nearest name; one of an installed method is known."""
    train = toy.spec.train.model_copy(update={"methods": {"cpI": {"tau": 0.7}}})
    edited = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    with pytest.raises(UnknownNameError, match=r"train\.methods.*Did you mean 'cpl'"):
        collect(edited, methods=("weak",))
    assert not toy.results.exists()
    monkeypatch.setattr("w2s_cache.train.study.method_names", lambda: ["cpI"])
    assert collect(edited, methods=("weak",), seeds=(0,))


def test_features_of_other_templates_are_refused_by_name(toy):
    """A spec with other templates than the features' is stale, and the field is named."""
    section = toy.spec.strong["clip"].model_copy(update={"templates": ("openai7",)})
    with pytest.raises(StaleStoreError, match=r"strong\.templates.*extract --domain art"):
        collect(toy, strong=section)
    assert not toy.results.exists()


def test_an_index_that_changed_makes_features_stale(toy, make_toy):
    """Features never meet the labels of an index they were not made for."""
    arrays = {**toy.arrays, "labels": (toy.arrays["labels"] + 1) % 4}
    elsewhere = make_toy("elsewhere", arrays=arrays)
    index = elsewhere.home / "v1" / "toy" / "art" / "index.parquet"
    target = toy.home / index.relative_to(elsewhere.home)
    target.write_bytes(index.read_bytes())
    with pytest.raises(StaleStoreError, match="index of toy/art changed"):
        collect(toy)


def test_options_of_the_spec_are_overridden_by_those_given(toy):
    """Method default < [train.methods] of the spec < options of the study."""
    train = toy.spec.train.model_copy(update={"methods": {"cpl": {"tau": 0.7}}})
    edited = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    [plain] = collect(toy, methods=("cpl",), seeds=(0,))
    [of_spec] = collect(edited, methods=("cpl",), seeds=(0,))
    [given] = collect(edited, methods=("cpl",), seeds=(0,), options={"tau": 0.3})
    taus = [outcome.record.config["options"]["tau"] for outcome in (plain, of_spec, given)]
    assert taus == [0.1, 0.7, 0.3]


def test_trainer_settings_of_methods_that_are_not_trained_are_refused(toy):
    """Given for closed-form methods alone, or in their section of the spec, they mean nothing."""
    words = r"recipe\.lr given for lda: expected a method that is trained.*lp-kd"
    with pytest.raises(TrainError, match=words) as caught:
        collect(toy, methods=("lda", "weak"), options={"recipe.lr": 1.0})
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
    section = {"lda": {"recipe": {"lr": 1.0}}}
    train = toy.spec.train.model_copy(update={"methods": section})
    edited = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    with pytest.raises(TrainError, match=words):
        collect(edited, methods=("lda", "lp-kd"))
    assert not toy.results.exists()


def test_trainer_settings_pass_by_untrained_methods_among_others(toy):
    """They apply where something is trained; elsewhere the run is the plain one, and it is said."""
    said = []
    changes = {"methods": ("lda", "weak", "lp-kd"), "seeds": (0,), "options": {"recipe.epochs": 1}}
    lda, weak, probe = collect(toy, **changes, say=said.append)
    assert said == ["recipe.epochs: not for lda, weak, where nothing is trained"]
    assert probe.record.config["recipe"]["epochs"] == 1
    plain = collect(toy, methods=("lda", "weak"), seeds=(0,))
    assert [one.record.run_id for one in plain] == [lda.record.run_id, weak.record.run_id]
    assert all(one.reused for one in plain)
