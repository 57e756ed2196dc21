"""Cross-entropy: on the supervision's argmax (the papers' "CE" rows), and on soft targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.hyperparameters import require_temperatures
from w2s_cache.losses.protocol import Targets


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Mean of −log softmax(z_s / tau_strong)[argmax z_w].

    Li et al. call the target "one-hot ground truth"; without labels it can only be the weak
    model's argmax. With soft targets the loss would equal KD at temperature 1 up to a constant.

    Args:
        tau_strong: Divides the strong logits, > 0, dimensionless; cosines need one below 1.

    Raises:
        TrainError: The temperature is not positive.
    """

    tau_strong: float = 1.0

    stackable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses temperatures that have no meaning."""
        require_temperatures(tau_strong=self.tau_strong)

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``label`` (n,) int64."""
        return {"label": weak_logits.argmax(dim=-1)}

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:  # noqa: ARG002
        """Logits (batch, k) → scalar, nats."""
        return row_cross_entropy(logits / self.tau_strong, targets["label"]).mean(dim=-1)


def row_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """−log softmax(z)[label] of every row: (…, batch, k) and (…, batch) → (…, batch), nats."""
    rows = functional.cross_entropy(logits.flatten(0, -2), label.flatten(), reduction="none")
    return rows.view(label.shape)


def soft_cross_entropy(logits: Tensor, probability: Tensor, *, tau: float = 1.0) -> Tensor:
    """Mean over rows of −Σ_k q_k log softmax(z / tau)_k; q is a constant.

    First derivatives only; see :func:`soft_cross_entropy_gradient`.

    Args:
        logits: z, (…, batch, k).
        probability: q, (…, batch, k), rows that sum to 1; detached.
        tau: Temperature, > 0, dimensionless.

    Returns:
        (…), nats.
    """
    mean: Tensor = _SoftCrossEntropy.apply(logits, probability, tau)
    return mean


def soft_cross_entropy_gradient(
    logits: Tensor, probability: Tensor, *, tau: float = 1.0
) -> tuple[Tensor, Tensor]:
    """The same mean, and its gradient by the logits times tau · batch, which is p − q.

    The mean is that of log Σ_k exp(z_k / tau) − Σ_k q_k z_k / tau, and the logarithm of a row is
    max z / tau − log max p. So one softmax p serves both, and the batch × k matrices are read a few
    times less than in automatic differentiation.

    Args:
        logits: z, (…, batch, k).
        probability: q, (…, batch, k), rows that sum to 1.
        tau: Temperature, > 0, dimensionless.

    Returns:
        (…), nats; and (…, batch, k), in memory of its own.
    """
    scaled = logits / tau
    rows = scaled.amax(dim=-1) - torch.linalg.vecdot(scaled, probability)
    strong = torch.softmax(scaled, dim=-1, out=scaled)
    rows -= strong.amax(dim=-1).log_()
    return rows.mean(dim=-1), strong.sub_(probability)


class _SoftCrossEntropy(torch.autograd.Function):
    """The value and, stored beside it, its gradient with respect to the logits."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, probability: Tensor, tau: float) -> Tensor:
        """Mean cross-entropy; keeps the gradient."""
        value, ctx.gradient = soft_cross_entropy_gradient(logits, probability, tau=tau)
        ctx.scale = 1.0 / (tau * logits.shape[-2])
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        """Scales the kept gradient by the factor that arrives, in place: it serves once."""
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None:
            raise RuntimeError("soft_cross_entropy is differentiated a second time: call it again")
        scaled: Tensor = gradient.mul_((upstream[0] * ctx.scale)[..., None, None])
        return scaled, None, None
