"""Class prototypes: one vector per class, compared with features by cosine (Li et al., Eq. 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.heads.cosines import cosines, cosines_and_pull
from w2s_cache.heads.protocol import Parameters, Pull, StartInputs, require_text
from w2s_cache.heads.soft_means import mean_directions
from w2s_cache.hyperparameters import require_temperatures


@dataclass(frozen=True, slots=True)
class PrototypeHead:
    """Cosine classifier: z_i = cos(C_i, f), without a logit scale (Eq. 3).

    Both sides are L2-normalised inside the forward pass; C itself keeps its free norm.
    """

    stackable: ClassVar[bool] = True

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) → unit-norm features (n, d)."""
        return functional.normalize(features, dim=-1)

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """(batch, d) → cosine similarities (batch, k) in [-1, 1]."""
        return cosines(prepared, parameters["prototypes"])

    def logits_and_pull(self, parameters: Parameters, prepared: Tensor) -> tuple[Tensor, Pull]:
        """The logits, and their derivative in closed form."""
        logits, pull = cosines_and_pull(prepared, parameters["prototypes"])
        return logits, lambda gradient: {"prototypes": pull(gradient)}


@dataclass(frozen=True, slots=True)
class TextStart:
    """Prototypes begin as the class text features, the paper's initialisation (Alg. 1, line 2)."""

    needs_text: ClassVar[bool] = True
    rowless: ClassVar[bool] = True

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``prototypes`` (k, d), unit rows.

        Raises:
            TrainError: The encoder has no text tower.
        """
        return {"prototypes": require_text(inputs).clone()}


@dataclass(frozen=True, slots=True)
class RandomStart:
    """Prototypes begin as Gaussian directions of unit length."""

    needs_text: ClassVar[bool] = False
    rowless: ClassVar[bool] = True

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``prototypes`` (k, d), unit rows."""
        classes, width = inputs.weak_logits.shape[1], inputs.features.shape[1]
        drawn = torch.randn(classes, width, generator=inputs.generator)
        return {"prototypes": functional.normalize(drawn, dim=-1)}


@dataclass(frozen=True, slots=True)
class ClassMeans:
    """Soft class means, C_k ∝ Σ_x p_w,k(x) f(x): one matrix product, no training.

    Each prototype is the mean direction of all features, weighted by how strongly the weak model
    assigns them to the class. A class without any weight gets the zero vector, whose cosine with
    every feature is 0, rather than a random direction.

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
        """``prototypes`` (k, d), unit rows."""
        weights = functional.softmax(inputs.weak_logits / self.tau_weak, dim=-1)
        return {"prototypes": mean_directions(weights, inputs.features)}
