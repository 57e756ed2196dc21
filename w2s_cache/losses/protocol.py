"""What training asks of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

Targets = Mapping[str, Tensor]


class Loss(Protocol):
    """Compares a head's logits with supervision.

    What depends on the supervision alone is computed once over all rows (``targets``), so that a
    training step touches only what changes.
    """

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """Supervision logits (n, k) → tensors with n rows, indexed by batch afterwards."""
        ...

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:
        """Logits (batch, k) and their targets → scalar in nats, mean over the batch.

        ``progress`` is the fraction of training done, in [0, 1), for losses with a schedule.
        """
        ...


def linear_ramp(progress: float, share: float) -> float:
    """Rises from 0 to 1 over the first ``share`` of training and stays; share 0 is no ramp."""
    return 1.0 if progress >= share else progress / share
