"""Linear discriminant analysis on soft labels: a linear head in closed form.

Every class is a Gaussian around its soft mean, all share one covariance Σ. With centred features
and posteriors q(y|x), N_k = Σ_x q(k|x) (Hastie et al., The Elements of Statistical Learning, §4.3;
shrinkage as in Friedman 1989, eq. 18):

    μ_k = Σ_x q(k|x) f(x) / N_k
    S   = Σ_x Σ_k q(k|x) (f − μ_k)(f − μ_k)ᵀ / n,   Σ = (1 − γ) S + γ (tr S / d) I
    logit_k(f) = μ_kᵀ Σ⁻¹ f − ½ μ_kᵀ Σ⁻¹ μ_k + log π_k

With fewer rows than dimensions the same head is found by solving n × n equations (Woodbury).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.pooling import Pool
from w2s_cache.heads.protocol import StartInputs
from w2s_cache.hyperparameters import require_choice, require_shares, require_temperatures


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
        centred = features - centre
        total = posteriors.sum(dim=0)
        shares = posteriors / total.clamp_min(torch.finfo(total.dtype).tiny)
        means = shares.T @ centred
        weight = self._weight(posteriors, shares, means, centred)
        bias = -(weight @ centre) - (weight * means).sum(dim=-1) / 2
        if self.priors == "estimated":
            bias = bias + (total / len(features)).clamp_min(torch.finfo(total.dtype).tiny).log()
        never = torch.finfo(bias.dtype).min / 2
        return {"weight": weight, "bias": torch.where(total > 0, bias, never)}

    def _weight(self, posteriors: Tensor, shares: Tensor, means: Tensor, centred: Tensor) -> Tensor:
        """Σ⁻¹ μ_k as rows (k, d), by the smaller of the two systems of equations."""
        rows, width = centred.shape
        between = ((posteriors.sum(dim=0) * means.square().sum(dim=-1)).sum()) / rows
        spread = (centred.square().sum() / rows - between) / width
        ridge = self.shrinkage * spread.clamp_min(torch.finfo(spread.dtype).eps)
        kept = (1 - self.shrinkage) / rows
        if rows < width:
            kernel = centred @ centred.T
            system = (kernel - posteriors @ (shares.T @ kernel)).mul_(kept)
            system.diagonal().add_(ridge)
            combined: Tensor = torch.linalg.solve(system, shares).T @ centred
            return combined
        scatter = torch.addmm(
            centred.T @ centred, means.T * posteriors.sum(dim=0), means, beta=kept, alpha=-kept
        )
        scatter.diagonal().add_(ridge)
        solved: Tensor = torch.cholesky_solve(means.T, torch.linalg.cholesky(scatter)).T
        return solved


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
    """LDA on pooled posteriors; the fields are those of Pool and of Discriminant."""

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
        return Discriminant(self.shrinkage, self.priors)(self._pool()(inputs), inputs.features)

    def _pool(self) -> Pool:
        return Pool(self.tau_weak, self.calibration, self.weak_share, self.text_share)
