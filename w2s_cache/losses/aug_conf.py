"""AugConf: distillation mixed with the student's own argmax, in a proportion that rises.

Guo et al.'s reading ("Vision Superalignment", 2024, their augmented baseline) of OpenAI's
confidence loss (Burns et al., 2023): neither a threshold nor class balancing. At tau_kd 1 its
gradient is that of AuxConf with ``balance = "none"`` and ``schedule = "fixed"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.hyperparameters import require_shares, require_temperatures
from w2s_cache.losses.cross_entropy import row_cross_entropy, soft_cross_entropy
from w2s_cache.losses.protocol import Targets, linear_ramp


@dataclass(frozen=True, slots=True)
class AugConf:
    """Mean of (1 − α) · tau_kd² · KL(p_w ‖ p_s) + α · CE(z_s, argmax z_s).

    Args:
        alpha_max: α after the ramp, in [0, 1].
        warmup: Share of training over which α rises linearly from 0; 0 for none. The authors step
            once per epoch, here α rises at every step.
        tau_kd: Softens both sides of the KL term only, > 0, dimensionless.
        tau_strong: Divides the strong logits before anything else, > 0, dimensionless.
        tau_weak: Divides the weak logits before anything else, > 0, dimensionless.

    Raises:
        TrainError: A temperature is not positive, or a share is outside [0, 1].
    """

    alpha_max: float = 0.5
    warmup: float = 0.3
    tau_kd: float = 1.0
    tau_strong: float = 1.0
    tau_weak: float = 1.0

    stackable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses options that have no meaning."""
        require_temperatures(tau_kd=self.tau_kd, tau_strong=self.tau_strong, tau_weak=self.tau_weak)
        require_shares(alpha_max=self.alpha_max, warmup=self.warmup)

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``probability`` (n, k) and ``negative_entropy`` (n,) = Σ p log p, nats."""
        probability = functional.softmax(weak_logits / (self.tau_weak * self.tau_kd), dim=-1)
        return {
            "probability": probability,
            "negative_entropy": torch.xlogy(probability, probability).sum(dim=-1),
        }

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:
        """Logits (batch, k) → scalar, nats."""
        alpha = self.alpha_max * linear_ramp(progress, self.warmup)
        tau = self.tau_strong * self.tau_kd
        cross = soft_cross_entropy(logits, targets["probability"], tau=tau)
        divergence = (cross + targets["negative_entropy"].mean(dim=-1)) * (
            self.tau_kd * self.tau_kd
        )
        own = logits.detach().argmax(dim=-1)
        confidence = row_cross_entropy(logits / self.tau_strong, own).mean(dim=-1)
        return (1 - alpha) * divergence + alpha * confidence
