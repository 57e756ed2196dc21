"""Cross-entropy on the supervision's argmax: the papers' "CE" rows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from w2s_cache.losses.protocol import Targets


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Mean of −log softmax(z_s)[argmax z_w].

    Li et al. call the target "one-hot ground truth"; without labels it can only be the weak
    model's argmax. With soft targets the loss would equal KD at temperature 1 up to a constant.
    """

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``label`` (n,) int64."""
        return {"label": weak_logits.argmax(dim=-1)}

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:  # noqa: ARG002
        """Logits (batch, k) → scalar, nats."""
        return functional.cross_entropy(logits, targets["label"])
