"""A mixture of Gaussians whose every row brings its own prior: expectation–maximisation.

The prior of x's class is the pooled posterior q₀(y|x) of weak model and text, the likelihood of its
features a Gaussian per class with one shared covariance (Dempster, Laird and Rubin 1977):

    E:  q(y|x) ∝ q₀(y|x) N(f(x); μ_y, Σ)
    M:  μ_y and S as in linear discriminant analysis,  Σ = (1 − γ) S + γ σ² I

σ² = tr S / d at the start and stays, which is a conjugate prior on Σ: no step lowers the penalised
log-likelihood. Without steps the head is that of linear discriminant analysis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from w2s_cache.heads.discriminant import PooledDiscriminant, within_covariance
from w2s_cache.heads.soft_means import NEVER, has_weight, soft_means
from w2s_cache.hyperparameters import require_rounds


@dataclass(frozen=True, kw_only=True, slots=True)
class Components:
    """Means (k, d), which classes have one (k,), a factor L of the shared covariance LLᵀ (d, d)."""

    means: Tensor
    present: Tensor
    factor: Tensor


@dataclass(frozen=True, slots=True)
class Mixture(PooledDiscriminant):
    """LDA on pooled posteriors refined by EM; other fields are those of PooledDiscriminant.

    Args:
        steps: How many E-steps, 0 to 10 000.

    Raises:
        TrainError: A value that has no meaning.
    """

    steps: int = 3

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        PooledDiscriminant.__post_init__(self)
        require_rounds(least=0, steps=self.steps)

    def refine(self, pooled: Tensor, features: Tensor) -> Tensor:
        """Posteriors (n, k) after the last E-step."""
        posteriors, variance = pooled, _within_variance(pooled, features)
        for _ in range(self.steps):
            components = maximise(posteriors, features, variance, self.shrinkage)
            posteriors = torch.softmax(joint(pooled, features, components), dim=-1)
        return posteriors


def maximise(
    posteriors: Tensor, features: Tensor, variance: Tensor, shrinkage: float
) -> Components:
    """The M-step: soft means and the shrunk within-class covariance.

    Args:
        posteriors: (n, k).
        features: (n, d).
        variance: σ², scalar.
        shrinkage: γ in (0, 1].
    """
    total, centre = posteriors.sum(dim=0), features.mean(dim=0)
    means = soft_means(posteriors, features, total)
    covariance = within_covariance(posteriors, features - centre, means - centre)
    covariance *= 1 - shrinkage
    covariance.diagonal().add_(shrinkage * variance)
    factor = torch.linalg.cholesky(covariance)
    return Components(means=means, present=has_weight(total), factor=factor)


def joint(prior: Tensor, features: Tensor, components: Components) -> Tensor:
    """Log of q₀(y|x) N(f(x); μ_y, Σ), (n, k), in nats; far below all for a class without a mean."""
    centre = features.mean(dim=0)
    white = _whiten(features - centre, components.factor)
    means = _whiten(components.means - centre, components.factor)
    distances = (
        white.square().sum(dim=-1, keepdim=True) - 2 * white @ means.T + means.square().sum(dim=-1)
    )
    volume = components.factor.diagonal().log().sum() + features.shape[1] / 2 * math.log(
        2 * math.pi
    )
    known = prior.clamp_min(torch.finfo(prior.dtype).tiny).log() - distances / 2 - volume
    return torch.where(components.present, known, NEVER)


def penalised_likelihood(
    prior: Tensor, features: Tensor, components: Components, variance: Tensor, shrinkage: float
) -> float:
    """What EM climbs, in nats: log-likelihood of the features plus the log-prior on Σ.

    The prior is inverse Wishart with weight ν = n γ / (1 − γ) around σ² I, up to a constant.
    """
    weight = len(features) * shrinkage / (1 - shrinkage)
    inverse = torch.cholesky_inverse(components.factor)
    volume = 2 * components.factor.diagonal().log().sum()
    penalty = weight / 2 * (volume + variance * inverse.diagonal().sum())
    return (torch.logsumexp(joint(prior, features, components), dim=-1).sum() - penalty).item()


def _within_variance(posteriors: Tensor, features: Tensor) -> Tensor:
    """σ² = tr S / d of these posteriors."""
    total, centre = posteriors.sum(dim=0), features.mean(dim=0)
    inner = soft_means(posteriors, features, total) - centre
    within = (features - centre).square().sum() - (total * inner.square().sum(dim=-1)).sum()
    return (within / features.numel()).clamp_min(torch.finfo(within.dtype).eps)


def _whiten(rows: Tensor, factor: Tensor) -> Tensor:
    solved: Tensor = torch.linalg.solve_triangular(factor, rows.T, upper=False)
    return solved.T
