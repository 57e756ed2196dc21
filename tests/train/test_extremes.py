"""Every numeric hyper-parameter at values nobody means: a lawful record or one sentence."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from w2s_cache.errors import W2SError
from w2s_cache.methods import METHODS
from w2s_cache.results import check_run
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.outcome import RunFailure
from w2s_cache.train.study import run_study

VALUES = {
    **{repr(v): v for v in (0, -1, 1e-300, 1e38, 1e308, math.nan, math.inf, -math.inf)},
    "1e23 as integer": 10**23,
    "2**31": 2**31,
    "a number of 400 digits": 10**400,
}
LONGEST = 700  # characters of a sentence; a value of 400 digits is not written out in it


def settings() -> dict[str, tuple[str, str]]:
    """Each part's every numeric field once, with a method that has it; towers come last."""
    found: dict[str, tuple[str, str]] = {}
    for name, method in sorted(METHODS.items(), key=lambda item: item[1].needs_tower):
        for part in (method.head, method.start, method.loss):
            for field in fields(part) if part else ():
                if isinstance(field.default, int | float) and type(field.default) is not bool:
                    found.setdefault(f"{part.__name__}.{field.name}", (name, field.name))
    for field in fields(TrainConfig):
        if isinstance(field.default, int | float):
            found[f"recipe.{field.name}"] = ("lp-kd", f"recipe.{field.name}")
    return {**found, "tau": ("cpl", "tau")}


def test_every_kind_of_part_is_tried():
    """Heads, starts, losses and the recipe: what the next test walks through is not empty."""
    tried = set(settings())
    assert {"recipe.lr", "recipe.batch_size", "recipe.epochs", "Distillation.tau_weak"} <= tried
    assert {"PooledDiscriminant.weak_share", "Mixture.steps", "PromptRecipe.n_ctx"} <= tried
    assert len(tried) > 40


@pytest.mark.parametrize("setting", settings())
def test_an_extreme_value_is_trained_with_or_refused(toy, text_tower, setting):
    """No exception but the package's own, no endless loop, and no sentence longer than a screen."""
    method, option = settings()[setting]
    train = toy.spec.train.model_copy(update={"epochs": 1, "batch_size": 64})
    short = replace(toy, spec=toy.spec.model_copy(update={"train": train}))
    for shown, value in VALUES.items():
        study = short.study(
            methods=(method,), seeds=(0,), options={option: value}, tower=lambda _: text_tower
        )
        try:
            [ended] = run_study(study, home=toy.home, results_dir=toy.results)
        except W2SError as refusal:
            error = refusal
        else:
            if not isinstance(ended, RunFailure):
                assert check_run(ended.directory) == [], shown
                continue
            error = ended.error
        assert all((error.what, error.expected, error.found, error.fix)), shown
        assert len(str(error)) < LONGEST, shown
