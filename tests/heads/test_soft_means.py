"""Means under posteriors, and classes that have next to no posterior."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from w2s_cache.heads.class_means import CentredClassMeans
from w2s_cache.heads.discriminant import PooledDiscriminant, WeakDiscriminant
from w2s_cache.heads.mixture import Mixture, joint, maximise
from w2s_cache.heads.pooling import PooledMeans
from w2s_cache.heads.propagation import PropagatedDiscriminant
from w2s_cache.heads.prototypes import ClassMeans
from w2s_cache.heads.soft_means import has_weight, mean_directions, soft_means

SUBNORMAL = 1e-40


def posteriors_with(mass, rows=20):
    """Two classes that share every row, and a third whose posteriors sum to ``mass``."""
    share = torch.rand(rows, 1, generator=torch.Generator().manual_seed(2))
    return torch.cat([share, 1 - share, torch.full((rows, 1), mass / rows)], dim=-1)


def features(rows=20, width=6):
    """Unit rows far from the origin."""
    drawn = torch.randn(rows, width, generator=torch.Generator().manual_seed(1))
    return functional.normalize(drawn + 2, dim=-1)


@given(mass=st.sampled_from([1.0, 1e-3, 1e-12, 1e-20, 1e-30, 1e-36]))
@settings(deadline=None)
def test_a_mean_does_not_depend_on_how_little_mass_it_has(mass):
    """Mean and direction of a uniform column are those of all rows, down to 1e-36."""
    posteriors, rows = posteriors_with(mass), features()
    centre = rows.mean(dim=0)
    means = soft_means(posteriors, rows, posteriors.sum(dim=0))
    torch.testing.assert_close(means[2], centre, rtol=1e-3, atol=1e-5)
    direction = mean_directions(posteriors, rows)[2]
    torch.testing.assert_close(direction, centre / centre.norm(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("mass", [SUBNORMAL, 0.0])
def test_a_class_of_subnormal_mass_has_no_mean(mass):
    """It is a class without weight: the zero vector, no point near the origin."""
    posteriors = posteriors_with(mass)
    total = posteriors.sum(dim=0)
    assert has_weight(total).tolist() == [True, True, False]
    assert not soft_means(posteriors, features(), total)[2].any()
    assert not mean_directions(posteriors, features())[2].any()


def test_nan_is_not_taken_for_a_class_without_weight():
    """Posteriors that are no numbers give means that are none, which training refuses."""
    posteriors = torch.full((20, 3), torch.nan)
    assert mean_directions(posteriors, features()).isnan().all()


def with_unlikely_class(cloud, width):
    """Start inputs whose last class has a weak probability of about 1e-41 on every row."""
    inputs = cloud(rows=20, width=width, classes=4)
    weak = inputs.weak_logits.clone()
    weak[:, 3] = weak[:, :3].max(dim=-1).values - 95
    text = inputs.text.clone()
    text[3] = -inputs.features.mean(dim=0)
    return replace(inputs, weak_logits=weak, text=functional.normalize(text, dim=-1))


@pytest.mark.parametrize("width", [6, 40])
@pytest.mark.parametrize(
    "start",
    [
        WeakDiscriminant(),
        PooledDiscriminant(text_share=0.0),
        Mixture(text_share=0.0),
        PropagatedDiscriminant(text_share=0.0),
        CentredClassMeans(),
    ],
    ids=lambda start: type(start).__name__,
)
def test_a_linear_head_never_predicts_a_class_of_subnormal_mass(cloud, start, width):
    """Its row of the weight is zero; not even the origin, or a point beyond, is its."""
    inputs = with_unlikely_class(cloud, width)
    mass = torch.softmax(inputs.weak_logits, dim=-1).sum(dim=0)[3]
    assert 0 < mass < torch.finfo(torch.float32).tiny
    head = start(inputs)
    assert all(value.isfinite().all() for value in head.values())
    assert not head["weight"][3].any()
    points = torch.cat([torch.zeros(1, width), inputs.features, -10 * inputs.features])
    assert not (points @ head["weight"].T + head["bias"]).argmax(dim=-1).eq(3).any()


@pytest.mark.parametrize("start", [ClassMeans(), PooledMeans(text_share=0.0)])
def test_a_prototype_of_subnormal_mass_is_the_zero_vector(cloud, start):
    """No direction is made of rounding errors."""
    assert not start(with_unlikely_class(cloud, 6))["prototypes"][3].any()


def test_the_mixture_gives_no_row_to_a_class_without_a_mean():
    """A row at the origin, where such a mean would lie, has no part of it."""
    posteriors, rows = posteriors_with(SUBNORMAL), features()
    components = maximise(posteriors, rows, torch.tensor(0.1), 0.5)
    prior = torch.full((20, 3), 1 / 3)
    near = torch.cat([torch.zeros(1, 6), rows[1:]])
    assert not torch.softmax(joint(prior, near, components), dim=-1)[:, 2].any()
