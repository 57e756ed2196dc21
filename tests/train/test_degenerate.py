"""Inputs at the edge of sense: every method still ends with a lawful record."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from w2s_cache.results import check_run

METHODS = ["weak", "lp-ce", "lp-kd", "lp-aux", "lp-adapt", "cpl", "cpl-ce", "soft-class-means"]


def constant(weak):
    """The weak model says the same of every image."""
    return torch.zeros_like(weak)


def without_a_class(weak):
    """The weak model never names the last class."""
    changed = weak.clone()
    changed[:, -1] = weak.min() - 10
    return changed


def one_class(weak):
    """The weak model names one class only, with certainty."""
    changed = torch.full_like(weak, -100.0)
    changed[:, 1] = 100.0
    return changed


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", [constant, without_a_class, one_class])
def test_weak_logits_without_information_give_a_lawful_record(toy, method, change):
    """No NaN, no refusal: the answer is as poor as its supervision, and is written whole."""
    inputs = toy.inputs()
    changed = replace(inputs, weak_logits=change(inputs.weak_logits))
    outcome = toy.run(method, inputs=changed)
    assert check_run(outcome.directory) == []


@pytest.mark.parametrize("method", [name for name in METHODS if name.startswith(("lp", "cpl"))])
@pytest.mark.parametrize("batch_size", [1, 2, 10_000], ids=["one row", "fewer than K", "all rows"])
def test_any_batch_size_trains(toy, method, batch_size):
    """Batches of fewer rows than classes, and a split smaller than one batch, are lawful."""
    outcome = toy.run(method, **{"recipe.batch_size": batch_size, "recipe.epochs": 1})
    assert check_run(outcome.directory) == []
