"""kNN with weak labels."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest
import torch

from w2s_cache.errors import TrainError
from w2s_cache.heads import nearest_neighbours
from w2s_cache.heads.nearest_neighbours import NearestNeighbours, WeakNeighbours
from w2s_cache.neighbours import choice


def test_golden_votes_of_two_neighbours(cloud):
    """By hand: unit rows at 0°, 60° and 90°, a query at 0°, two neighbours, τ = 1.

    Weights e and √e; weak posteriors (1, 0) and (½, ½) up to float rounding.
    """
    angles = torch.tensor([0.0, 60.0, 90.0]).deg2rad()
    rows = torch.stack([angles.cos(), angles.sin()], dim=-1)
    inputs = replace(
        cloud(), features=rows, weak_logits=torch.tensor([[200.0, 0], [0, 0], [0, 200.0]])
    )
    head = NearestNeighbours(neighbours=2, tau_vote=1.0)
    logits = head.logits(WeakNeighbours()(inputs), rows[:1])
    second = 0.5 * math.sqrt(math.e) / (math.e + math.sqrt(math.e))
    assert logits.exp()[0].tolist() == pytest.approx([1 - second, second])


def test_logits_are_log_probabilities(cloud):
    """Their softmax is the vote itself, finite also where no neighbour has any weight."""
    inputs = cloud(rows=40)
    certain = replace(inputs, weak_logits=inputs.weak_logits * 1e4)
    for given in (inputs, certain):
        logits = NearestNeighbours(neighbours=3).logits(WeakNeighbours()(given), given.features)
        assert logits.isfinite().all()
        torch.testing.assert_close(logits.softmax(-1), logits.exp())


def test_with_one_neighbour_a_fit_row_keeps_its_own_weak_label(cloud):
    """It is nearest to itself."""
    inputs = cloud(rows=40)
    logits = NearestNeighbours(neighbours=1).logits(WeakNeighbours()(inputs), inputs.features)
    assert torch.equal(logits.argmax(-1), inputs.weak_logits.argmax(-1))


def test_without_faiss_the_logits_are_the_same(cloud, monkeypatch):
    """To the last bit."""
    inputs = cloud(rows=200)
    head, parameters = NearestNeighbours(), WeakNeighbours()(inputs)
    found = head.logits(parameters, inputs.features)
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert torch.equal(head.logits(parameters, inputs.features), found)


def test_a_run_keeps_no_copy_of_the_cache(cloud):
    """What it remembers are features and weak logits, which the cache holds."""
    assert NearestNeighbours().kept(WeakNeighbours()(cloud())) == {}


@pytest.mark.parametrize(
    ("part", "option", "value"),
    [
        (NearestNeighbours, "neighbours", 0),
        (NearestNeighbours, "tau_vote", 0.0),
        (WeakNeighbours, "tau_weak", -1.0),
    ],
)
def test_values_without_meaning_are_refused(part, option, value):
    """Before any run, by name."""
    with pytest.raises(TrainError, match=option):
        part(**{option: value})


def test_votes_are_exact_however_many_rows_there_are(cloud, monkeypatch):
    """An approximate search would make results depend on the library that is installed."""
    monkeypatch.setattr(choice, "CELLS_FROM", 1)
    made = []

    def watched(*args, **options):
        made.append(choice.make_index(*args, **options))
        return made[-1]

    monkeypatch.setattr(nearest_neighbours, "make_index", watched)
    inputs = cloud(rows=40)
    NearestNeighbours(neighbours=3).logits(WeakNeighbours()(inputs), inputs.features)
    assert [index.name for index in made] == ["faiss, exact"]
