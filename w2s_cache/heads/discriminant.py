"""Linear discriminant analysis on soft labels: a linear head in closed form.

Every class is a Gaussian around its soft mean, all share one covariance Σ. With centred features
and posteriors q(y|x), N_k = Σ_x q(k|x) (Hastie et al., The Elements of Statistical Learning, §4.3;
shrinkage as in Friedman 1989, eq. 18):

    μ_k = Σ_x q(k|x) f(x) / N_k
    S   = Σ_x Σ_k q(k|x) (f − μ_k)(f − μ_k)ᵀ / n,   Σ = (1 − γ) S + γ (tr S / d) I
    logit_k(f) = μ_kᵀ Σ⁻¹ f − ½ μ_kᵀ Σ⁻¹ μ_k + log π_k

With fewer rows than dimensions the same head is found by solving n × n equations (Woodbury); of
very many rows, evenly spaced ones are enough for S, at least four per dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.pooling import OpinionPool
from w2s_cache.heads.protocol import StartInputs
from w2s_cache.heads.soft_means import NEVER, has_weight, soft_means
from w2s_cache.hyperparameters import require_choice, require_shares, require_temperatures

_ROWS_PER_DIMENSION = 4


@dataclass(frozen=True, slots=True)
class Discriminant:
    """How posteriors become a head.

    Args:
        shrinkage: γ in (0, 1]: how far Σ is drawn to a multiple of the identity.
        priors: ``"equal"`` gives every class the same π, ``"estimated"`` takes N_k / n.

    Raises:
        TrainError: A value that has no meaning.
    """

    shrinkage: float = 0.5
    priors: str = "equal"

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        require_choice("priors", self.priors, ("equal", "estimated"))
        require_shares(shrinkage=self.shrinkage)
        if self.shrinkage == 0:
            raise TrainError(
                "hyper-parameter shrinkage",
                expected="a number in (0, 1]: a covariance of few rows has no inverse",
                found="0",
                fix="Set shrinkage to e.g. 0.5.",
            )

    def __call__(self, posteriors: Tensor, features: Tensor) -> dict[str, Tensor]:
        """The head of n rows.

        Args:
            posteriors: (n, k), rows summing to 1.
            features: (n, d).

        Returns:
            ``weight`` (k, d) and ``bias`` (k,). A class without any weight is never predicted.
        """
        centre = features.mean(dim=0)
        total = posteriors.sum(dim=0)
        means = soft_means(posteriors, features, total)
        weighty = has_weight(total)
        inner = torch.where(weighty.unsqueeze(-1), means - centre, 0)
        if len(features) < features.shape[1]:
            weight = self._from_rows(posteriors, features - centre, total)
        else:
            step = max(1, len(features) // (_ROWS_PER_DIMENSION * features.shape[1]))
            weight = self._from_scatter(posteriors[::step], features[::step] - centre, inner)
        bias = -(weight @ centre) - torch.linalg.vecdot(weight, inner) / 2
        if self.priors == "estimated":
            bias = bias + (total / len(features)).clamp_min(torch.finfo(total.dtype).tiny).log()
        return {"weight": weight, "bias": torch.where(weighty, bias, NEVER)}

    def _from_scatter(self, posteriors: Tensor, centred: Tensor, inner: Tensor) -> Tensor:
        """Σ⁻¹ μ_k as rows (k, d), by d × d equations."""
        covariance = within_covariance(posteriors, centred, inner)
        ridge = self._ridge(covariance.diagonal().mean())
        covariance *= 1 - self.shrinkage
        covariance.diagonal().add_(ridge)
        solved: Tensor = torch.cholesky_solve(inner.T, torch.linalg.cholesky(covariance)).T
        return solved

    def _from_rows(self, posteriors: Tensor, centred: Tensor, total: Tensor) -> Tensor:
        """Σ⁻¹ μ_k as rows (k, d), by n × n equations."""
        rows, width = centred.shape
        shares = torch.where(has_weight(total), posteriors / total, 0)
        kernel = centred @ centred.T
        system = kernel - posteriors @ (shares.T @ kernel)
        ridge = self._ridge(system.diagonal().sum() / (rows * width))
        system *= (1 - self.shrinkage) / rows
        system.diagonal().add_(ridge)
        combined: Tensor = torch.linalg.solve(system, shares).T @ centred
        return combined

    def _ridge(self, variance: Tensor) -> Tensor:
        """γ tr S / d, above zero even where all rows are equal."""
        return self.shrinkage * variance.clamp_min(torch.finfo(variance.dtype).eps)


def within_covariance(posteriors: Tensor, centred: Tensor, inner: Tensor) -> Tensor:
    """S (d, d), the mean of Σ_k q(k|x) (f − μ_k)(f − μ_k)ᵀ over the rows given.

    Args:
        posteriors: (n, k), rows summing to 1.
        centred: (n, d), features minus a centre.
        inner: (k, d), class means minus the same centre.
    """
    cross = (posteriors.T @ centred).T @ inner
    scatter = (inner.T * posteriors.sum(dim=0)) @ inner
    scatter.addmm_(centred.T, centred).sub_(cross).sub_(cross.T)
    return scatter.div_(len(centred))


@dataclass(frozen=True, slots=True)
class WeakDiscriminant:
    """LDA on the weak model's probabilities alone; other fields are those of Discriminant.

    Args:
        tau_weak: p_w = softmax(z_w / tau_weak), > 0, dimensionless.
    """

    tau_weak: float = 1.0
    shrinkage: float = 0.5
    priors: str = "equal"

    needs_text: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        require_temperatures(tau_weak=self.tau_weak)
        Discriminant(self.shrinkage, self.priors)

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``weight`` (k, d) and ``bias`` (k,)."""
        posteriors = functional.softmax(inputs.weak_logits / self.tau_weak, dim=-1)
        return Discriminant(self.shrinkage, self.priors)(posteriors, inputs.features)


@dataclass(frozen=True, slots=True)
class PooledDiscriminant:
    """LDA on pooled posteriors; the fields are those of OpinionPool and of Discriminant."""

    tau_weak: float = 1.0
    calibration: str = "agreement"
    weak_share: float = 1.0
    text_share: float = 1.0
    shrinkage: float = 0.5
    priors: str = "equal"

    needs_text: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        self._pool()
        Discriminant(self.shrinkage, self.priors)

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``weight`` (k, d) and ``bias`` (k,)."""
        posteriors = self.refine(self._pool()(inputs), inputs.features)
        return Discriminant(self.shrinkage, self.priors)(posteriors, inputs.features)

    def refine(self, pooled: Tensor, features: Tensor) -> Tensor:  # noqa: ARG002
        """Posteriors (n, k) that LDA is made of: the pooled ones, or what a heir makes of them."""
        return pooled

    def _pool(self) -> OpinionPool:
        return OpinionPool(self.tau_weak, self.calibration, self.weak_share, self.text_share)
