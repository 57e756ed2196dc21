"""What decides a run's numbers: one spelling for equal settings."""

from __future__ import annotations

import pytest

from w2s_cache.errors import TrainError
from w2s_cache.train.settings import declare, declared_candidates


@pytest.mark.parametrize(
    ("method", "one", "other"),
    [
        ("cpl", {}, {"tau_strong": 0.1, "tau_weak": 0.1}),
        ("cpl", {"tau": 0.5}, {"tau_strong": 0.5, "tau_weak": 0.5}),
        ("lp-kd", {"tau": 0.5}, {"tau_strong": 0.5, "tau_weak": 0.5}),
        ("cpl", {"tau_strong": 1, "tau_weak": 2}, {"tau": 7, "tau_strong": 1, "tau_weak": 2}),
        ("cpl-ce", {"tau_strong": 0.5}, {"tau": 7, "tau_strong": 0.5}),
    ],
)
def test_equal_temperatures_are_one_run_however_they_are_given(toy, method, one, other):
    """`tau` stands for two equal sides, and does not stand in a record where it has no effect."""
    first, second = (declare(toy.spec, method, given) for given in (one, other))
    assert first == second
    kept = set(first["config"]["options"]) & {"tau", "tau_strong", "tau_weak"}
    assert kept == set(one) if "tau_strong" in one else kept == {"tau"}


def test_one_side_beside_tau_is_recorded_beside_it(toy):
    """The other side is still `tau`'s; listed sides are candidates of their own."""
    apart = declare(toy.spec, "cpl", {"tau_strong": 0.01})["config"]["options"]
    assert (apart["tau"], apart["tau_strong"]) == (0.1, 0.01)
    listed = {"tau_strong": [1.0, 2.0], "tau_weak": [1.0, 2.0]}
    declared = declare(toy.spec, "cpl", listed)
    assert len(declared_candidates(declared)) == 4
    assert "tau" not in declared["config"]["options"]


@pytest.mark.parametrize(
    ("setting", "section"), [("tau", ""), ("tua", ""), ("recipe.lrr", ".recipe")]
)
def test_a_wrong_setting_is_corrected_where_it_came_from(toy, setting, section):
    """By --set, also over a right value of the spec, or by the spec."""
    with pytest.raises(TrainError) as caught:
        declare(toy.spec, "cpl", {setting: "hot"})
    assert caught.value.fix == f"Correct --set {setting}."
    *nested, name = setting.split(".")
    wrong = {nested[0]: {name: "hot"}} if nested else {name: "hot"}
    train = toy.spec.train.model_copy(update={"methods": {"cpl": wrong}})
    with pytest.raises(TrainError) as caught:
        declare(toy.spec.model_copy(update={"train": train}), "cpl", {"rescale": True})
    assert caught.value.fix == f"Correct [train.methods.cpl{section}] in the spec."
