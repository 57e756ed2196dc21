"""The mixture of Gaussians with a prior per row."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import TrainError
from w2s_cache.heads.discriminant import PooledDiscriminant
from w2s_cache.heads.mixture import Mixture, joint, maximise, penalised_likelihood


@given(
    seed=st.integers(0, 2**16),
    width=st.sampled_from([2, 6, 40]),
    shrinkage=st.sampled_from([0.05, 0.5, 0.95]),
)
@settings(deadline=None, max_examples=30)
def test_no_step_lowers_the_penalised_likelihood(cloud_of, seed, width, shrinkage):
    """The law of expectation–maximisation, in float64 over eight steps."""
    inputs = cloud_of(rows=30, width=width, classes=3, seed=seed, dtype=torch.float64)
    prior = posteriors = torch.softmax(inputs.weak_logits, dim=-1)
    variance = inputs.features.var(dim=0).mean()
    before = -math.inf
    for _ in range(8):
        components = maximise(posteriors, inputs.features, variance, shrinkage)
        now = penalised_likelihood(prior, inputs.features, components, variance, shrinkage)
        assert now >= before - 1e-8 * abs(now)
        before = now
        posteriors = torch.softmax(joint(prior, inputs.features, components), dim=-1)


def test_the_joint_density_is_torchs_own(cloud):
    """Log q₀ plus torch.distributions' log density of every Gaussian."""
    inputs = cloud(rows=15, width=3, classes=2, dtype=torch.float64)
    prior = torch.softmax(inputs.weak_logits, dim=-1)
    variance = torch.tensor(0.2, dtype=torch.float64)
    components = maximise(prior, inputs.features, variance, 0.4)
    measured = joint(prior, inputs.features, components)
    for k in range(2):
        gaussian = torch.distributions.MultivariateNormal(
            components.means[k], scale_tril=components.factor
        )
        expected = prior[:, k].log() + gaussian.log_prob(inputs.features)
        torch.testing.assert_close(measured[:, k], expected)


@pytest.mark.parametrize("width", [6, 80])
def test_without_steps_it_is_linear_discriminant_analysis(cloud, width):
    """The start is the answer."""
    inputs = cloud(width=width)
    still, lda = Mixture(steps=0)(inputs), PooledDiscriminant()(inputs)
    assert all(torch.equal(still[name], lda[name]) for name in lda)


def test_a_prior_without_doubt_stays(cloud):
    """Where each row's class is certain, no step moves it."""
    inputs = cloud()
    certain = type(inputs)(
        **{
            **{name: getattr(inputs, name) for name in type(inputs).__slots__},
            "weak_logits": 1e4 * inputs.weak_logits,
        }
    )
    moved, still = Mixture(steps=3)(certain), Mixture(steps=0)(certain)
    torch.testing.assert_close(moved["weight"], still["weight"])


def test_negative_steps_are_refused():
    """By name."""
    with pytest.raises(TrainError, match="steps"):
        Mixture(steps=-1)
