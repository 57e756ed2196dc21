"""AdaptConf: each image weighs its teacher against the student's own prediction.

Guo et al., "Vision Superalignment" (2024). Per image, with ŷ_s and ŷ_w the two argmaxes,
β = e^{c_s/T} / (e^{c_s/T} + e^{c_w/T}), c_s = −log p_s[ŷ_s], c_w = −log p_s[ŷ_w], and the loss is
(1 − β) · τ² · KL_τ(p_w ‖ p_s) + β · CE(z_s, ŷ_s), here without a ground-truth term.

As c_s ≤ c_w, β lies in (0, ½]: ½ where both agree, near 0 where the strong model is sure of
something else. So weight moves *to* the teacher in disagreement, whatever the prose says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.hyperparameters import require_shares, require_temperatures
from w2s_cache.losses.cross_entropy import row_cross_entropy
from w2s_cache.losses.protocol import Targets, linear_ramp


@dataclass(frozen=True, slots=True)
class AdaptConf:
    """Mean of (1 − β) · tau_kd² · KL(p_w ‖ p_s) + β · CE(z_s, argmax z_s), β a constant.

    β is computed as sigmoid((z_s[ŷ_w] − z_s[ŷ_s]) / temperature), equal to the published quotient
    and free of its exponentials, which overflow float32 from c / T = 88.7 on. Below the smallest
    float β is 0.

    Args:
        temperature: T of β, > 0, dimensionless; towards infinity β is ½ everywhere. The authors'
            CIFAR recipe uses 0.5.
        tau_kd: Softens both sides of the KL term only, > 0, dimensionless.
        ramp: Share of training over which β rises linearly from 0 to its full value; 0 for none.
            The authors use none for classification, 0.25 for few-shot and noisy labels.
        tau_strong: Divides the strong logits before anything else, > 0, dimensionless; cosines
            need one below 1.
        tau_weak: Divides the weak logits before anything else, > 0, dimensionless.

    Raises:
        TrainError: A temperature is not positive, or the ramp is outside [0, 1].
    """

    temperature: float = 0.5
    tau_kd: float = 1.0
    ramp: float = 0.0
    tau_strong: float = 1.0
    tau_weak: float = 1.0

    stackable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses options that have no meaning."""
        require_temperatures(
            temperature=self.temperature,
            tau_kd=self.tau_kd,
            tau_strong=self.tau_strong,
            tau_weak=self.tau_weak,
        )
        require_shares(ramp=self.ramp)

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``label`` (n,) int64, ``probability`` (n, k), ``negative_entropy`` (n,) nats."""
        probability = functional.softmax(weak_logits / (self.tau_weak * self.tau_kd), dim=-1)
        return {
            "label": weak_logits.argmax(dim=-1),
            "probability": probability,
            "negative_entropy": torch.xlogy(probability, probability).sum(dim=-1),
        }

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:
        """Logits (batch, k) → scalar, nats."""
        strong = logits / self.tau_strong
        own = strong.detach().argmax(dim=-1)
        beta = self.beta(strong.detach(), own, targets["label"])
        beta = beta * linear_ramp(progress, self.ramp)
        log_strong = functional.log_softmax(strong / self.tau_kd, dim=-1)
        cross = -(targets["probability"] * log_strong).sum(dim=-1)
        divergence = (cross + targets["negative_entropy"]) * (self.tau_kd * self.tau_kd)
        confidence = row_cross_entropy(strong, own)
        return torch.lerp(divergence, confidence, beta).mean(dim=-1)

    def beta(self, strong: Tensor, own: Tensor, label: Tensor) -> Tensor:
        """Weight of the own prediction: logits (batch, k), two classes (batch,) → (batch,)."""
        at = torch.stack([own, label], dim=-1)
        first, other = strong.gather(-1, at).unbind(dim=-1)
        return torch.sigmoid((other - first) / self.temperature)
