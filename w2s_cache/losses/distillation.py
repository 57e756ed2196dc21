"""Forward KL between softened distributions: KD, and CPL when the logits are cosines.

Hinton et al. (2015); Li et al. Eq. 4–5. The text of Eq. 5 writes KL(p_s‖p_w) but spells out
Σ p_w log(p_w / p_s), which is KL(p_w‖p_s), the usual direction; that sum is what is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.hyperparameters import require_temperatures
from w2s_cache.losses.cross_entropy import soft_cross_entropy, soft_cross_entropy_gradient
from w2s_cache.losses.protocol import Targets


@dataclass(frozen=True, slots=True)
class Distillation:
    """Mean over the batch of KL(softmax(z_w/tau_weak) ‖ softmax(z_s/tau_strong)).

    Args:
        tau_strong: Temperature of the strong side, > 0, dimensionless.
        tau_weak: Temperature of the weak side, > 0, dimensionless.
        rescale: Multiply by tau_strong · tau_weak, which at equal temperatures is Hinton's τ²;
            the CPL paper has no such factor.

    Raises:
        TrainError: A temperature is not positive.
    """

    tau_strong: float = 1.0
    tau_weak: float = 1.0
    rescale: bool = False

    stackable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses temperatures that have no meaning."""
        require_temperatures(tau_strong=self.tau_strong, tau_weak=self.tau_weak)

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``probability`` (n, k) and ``negative_entropy`` (n,) = Σ p log p, nats."""
        probability = functional.softmax(weak_logits / self.tau_weak, dim=-1)
        return {
            "probability": probability,
            "negative_entropy": torch.xlogy(probability, probability).sum(dim=-1),
        }

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:  # noqa: ARG002
        """Logits (batch, k) → scalar, nats. The entropy of the target is a constant of training."""
        cross = soft_cross_entropy(logits, targets["probability"], tau=self.tau_strong)
        return (cross + targets["negative_entropy"].mean(dim=-1)) * self._factor

    def value_and_gradient(
        self,
        logits: Tensor,
        targets: Targets,
        *,
        progress: float,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor]:
        """The loss, and (p_s − p_w) / (tau_strong · batch), times the factor if there is one."""
        cross, gradient = soft_cross_entropy_gradient(
            logits, targets["probability"], tau=self.tau_strong
        )
        value = (cross + targets["negative_entropy"].mean(dim=-1)) * self._factor
        return value, gradient.mul_(self._factor / (self.tau_strong * logits.shape[-2]))

    @property
    def _factor(self) -> float:
        return self.tau_strong * self.tau_weak if self.rescale else 1.0
