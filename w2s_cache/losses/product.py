"""Product loss: the target is a product of experts, the student's own softmax one of them.

Burns et al., "Weak-to-strong generalization" (2023), in their released code; not in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from w2s_cache.hyperparameters import require_exponents, require_temperatures
from w2s_cache.losses.cross_entropy import soft_cross_entropy
from w2s_cache.losses.protocol import Targets


@dataclass(frozen=True, slots=True)
class Product:
    """Mean of CE(z_s, q) with q ∝ p_s^beta · p_w^alpha, normalised and held constant.

    Exponents rather than mixing weights: they need not sum to 1, and (1, 1) is the default.

    Args:
        alpha: Exponent of the weak probabilities, ≥ 0; at beta 0 and alpha 1 the loss is the
            cross-entropy with them.
        beta: Exponent of the strong probabilities, ≥ 0.
        tau_strong: Divides the strong logits before anything else, > 0, dimensionless.
        tau_weak: Divides the weak logits before anything else, > 0, dimensionless.

    Raises:
        TrainError: A temperature is not positive, or an exponent is negative.
    """

    alpha: float = 1.0
    beta: float = 1.0
    tau_strong: float = 1.0
    tau_weak: float = 1.0

    stackable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses options that have no meaning."""
        require_temperatures(tau_strong=self.tau_strong, tau_weak=self.tau_weak)
        require_exponents(alpha=self.alpha, beta=self.beta)

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``log_probability`` (n, k), nats."""
        return {"log_probability": functional.log_softmax(weak_logits / self.tau_weak, dim=-1)}

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:  # noqa: ARG002
        """Logits (batch, k) → scalar, nats."""
        own = logits.detach() * (self.beta / self.tau_strong)
        product = functional.softmax(own + self.alpha * targets["log_probability"], dim=-1)
        return soft_cross_entropy(logits, product, tau=self.tau_strong)
