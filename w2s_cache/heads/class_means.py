"""Centred class means: what all images share is subtracted before classes are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.heads.protocol import StartInputs
from w2s_cache.heads.soft_means import NEVER, has_weight, mean_directions
from w2s_cache.hyperparameters import require_temperatures


@dataclass(frozen=True, slots=True)
class CentredClassMeans:
    """Soft class means around the mean feature m: C_k ∝ Σ_x p_w,k(x) (f(x) − m).

    Features of one encoder lie in a narrow cone; its axis says nothing about classes, yet soft
    weights let it dominate every mean. Scores are (f − m)·C_k with C_k of unit length.

    Args:
        tau_weak: p_w = softmax(z_w / tau_weak), > 0, dimensionless.

    Raises:
        TrainError: The temperature is not positive.
    """

    tau_weak: float = 1.0

    needs_text: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuses a temperature that has no meaning."""
        require_temperatures(tau_weak=self.tau_weak)

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``weight`` (k, d), unit rows, and ``bias`` (k,).

        A class without any weight has a zero row, and a bias that keeps it from being predicted.
        """
        weights = functional.softmax(inputs.weak_logits / self.tau_weak, dim=-1)
        centre = inputs.features.mean(dim=0)
        weight = mean_directions(weights, inputs.features - centre)
        bias = torch.where(has_weight(weights.sum(dim=0)), -(weight @ centre), NEVER)
        return {"weight": weight, "bias": bias}
