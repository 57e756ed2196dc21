"""Linear discriminant analysis on soft labels."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import TrainError
from w2s_cache.heads.discriminant import Discriminant, PooledDiscriminant, WeakDiscriminant


def reference(posteriors, features, shrinkage, priors):
    """The textbook's formulas as loops; returns logits of the rows up to a constant per row."""
    rows, width = features.shape
    classes = posteriors.shape[1]
    total = posteriors.sum(dim=0)
    means = [
        sum(posteriors[x, k] * features[x] for x in range(rows)) / total[k] for k in range(classes)
    ]
    scatter = torch.zeros(width, width, dtype=features.dtype)
    for x in range(rows):
        for k in range(classes):
            off = features[x] - means[k]
            scatter += posteriors[x, k] * torch.outer(off, off) / rows
    ridge = shrinkage * scatter.trace() / width
    shrunk = (1 - shrinkage) * scatter + ridge * torch.eye(width, dtype=features.dtype)
    inverse = torch.linalg.inv(shrunk)
    logits = torch.empty(rows, classes, dtype=features.dtype)
    for x in range(rows):
        for k in range(classes):
            off = features[x] - means[k]
            logits[x, k] = -off @ inverse @ off / 2
            if priors == "estimated":
                logits[x, k] += (total[k] / rows).log()
    return logits


def scores(head, features):
    """Logits of a linear head, each row's mean subtracted."""
    logits = features @ head["weight"].T + head["bias"]
    return logits - logits.mean(dim=-1, keepdim=True)


@pytest.mark.parametrize("width", [5, 40])
@pytest.mark.parametrize("shrinkage", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("priors", ["equal", "estimated"])
def test_logits_are_those_of_the_textbook(cloud, width, shrinkage, priors):
    """Equal to the literal loops in float64, with more and with fewer rows than dimensions."""
    inputs = cloud(rows=20, width=width, classes=3, dtype=torch.float64)
    posteriors = torch.softmax(inputs.weak_logits, dim=-1)
    head = Discriminant(shrinkage=shrinkage, priors=priors)(posteriors, inputs.features)
    expected = reference(posteriors, inputs.features, shrinkage, priors)
    expected -= expected.mean(dim=-1, keepdim=True)
    torch.testing.assert_close(scores(head, inputs.features), expected, rtol=1e-8, atol=1e-8)


def test_one_dimension_worked_by_hand():
    """Means −2 and 2, every row 1 from its mean: S = 1, so logits ±2 f − 2 whatever γ."""
    features = torch.tensor([[-3.0], [-1], [1], [3]])
    posteriors = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    head = Discriminant(shrinkage=0.3)(posteriors, features)
    torch.testing.assert_close(head["weight"], torch.tensor([[-2.0], [2.0]]))
    torch.testing.assert_close(head["bias"], torch.tensor([-2.0, -2.0]))


@given(seed=st.integers(0, 2**16), width=st.sampled_from([5, 50]))
@settings(deadline=None, max_examples=25)
@pytest.mark.parametrize("start", [WeakDiscriminant(), PooledDiscriminant()])
def test_renaming_the_classes_renames_the_answers(cloud_of, start, seed, width):
    """Permuted logits and text give permuted weights and biases, nothing else."""
    inputs = cloud_of(rows=30, width=width, classes=4, seed=seed, dtype=torch.float64)
    order = torch.tensor([2, 0, 3, 1])
    renamed = replace(inputs, weak_logits=inputs.weak_logits[:, order], text=inputs.text[order])
    plain, permuted = start(inputs), start(renamed)
    for name in ("weight", "bias"):
        torch.testing.assert_close(permuted[name], plain[name][order], rtol=1e-6, atol=1e-8)


@given(seed=st.integers(0, 2**16))
@settings(deadline=None, max_examples=25)
def test_turning_the_feature_space_changes_no_score(cloud_of, seed):
    """An orthogonal matrix on features and text turns the weights with them."""
    inputs = cloud_of(rows=30, width=6, seed=seed, dtype=torch.float64)
    turn, _ = torch.linalg.qr(torch.randn(6, 6, generator=inputs.generator).double())
    turned = replace(inputs, features=inputs.features @ turn, text=inputs.text @ turn)
    plain = scores(PooledDiscriminant()(inputs), inputs.features)
    after = scores(PooledDiscriminant()(turned), turned.features)
    torch.testing.assert_close(after, plain, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("width", [3, 30])
def test_a_class_without_weight_is_never_predicted(cloud, width):
    """Its row is finite, and others keep the head they have without it."""
    inputs = cloud(rows=20, width=width, classes=3, dtype=torch.float64)
    posteriors = torch.softmax(inputs.weak_logits, dim=-1)
    padded = torch.cat([posteriors, torch.zeros(20, 1, dtype=torch.float64)], dim=-1)
    head = Discriminant()(padded, inputs.features)
    assert all(torch.isfinite(value).all() for value in head.values())
    logits = inputs.features @ head["weight"].T + head["bias"]
    assert (logits.argmax(dim=-1) < 3).all()
    without = Discriminant()(posteriors, inputs.features)
    torch.testing.assert_close(head["weight"][:3], without["weight"])
    torch.testing.assert_close(head["bias"][:3], without["bias"])


def test_a_single_class_and_equal_rows_give_a_finite_head():
    """Nothing to tell apart, nothing to divide by."""
    head = Discriminant()(torch.ones(4, 1), torch.ones(4, 3))
    assert all(torch.isfinite(value).all() for value in head.values())


def test_many_rows_are_thinned_for_the_covariance_only(cloud):
    """With rows repeated the thinned covariance, and so the head, is that of one copy."""
    inputs = cloud(rows=12, width=3, classes=2, dtype=torch.float64)
    posteriors = torch.softmax(inputs.weak_logits, dim=-1)
    once = Discriminant()(posteriors, inputs.features)
    copies = 6  # 72 rows of 3 dimensions: every third of them enters the covariance
    again = Discriminant()(
        posteriors.repeat_interleave(copies, dim=0),
        inputs.features.repeat_interleave(copies, dim=0),
    )
    torch.testing.assert_close(again["weight"], once["weight"])
    torch.testing.assert_close(again["bias"], once["bias"])


def test_equal_inputs_give_equal_bits(cloud):
    """Nothing is drawn."""
    one, two = PooledDiscriminant()(cloud(seed=3)), PooledDiscriminant()(cloud(seed=3))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("start", [WeakDiscriminant, PooledDiscriminant])
@pytest.mark.parametrize(("option", "value"), [("shrinkage", 0.0), ("priors", "some")])
def test_values_without_meaning_are_refused(start, option, value):
    """Before any run, by name."""
    with pytest.raises(TrainError, match=option) as caught:
        start(**{option: value})
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
