"""Class prototypes: one vector per class, compared with features by cosine (Li et al., Eq. 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.protocol import Parameters, StartInputs
from w2s_cache.heads.unit_rows import unit_rows


@dataclass(frozen=True, slots=True)
class PrototypeHead:
    """Cosine classifier: z_i = cos(C_i, f), without a logit scale (Eq. 3).

    Both sides are L2-normalised inside the forward pass; C itself keeps its free norm.
    """

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) → unit-norm features (n, d)."""
        return functional.normalize(features, dim=-1)

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """(batch, d) → cosine similarities (batch, k) in [-1, 1]."""
        return functional.linear(prepared, unit_rows(parameters["prototypes"]))


def start_from_text(inputs: StartInputs) -> dict[str, Tensor]:
    """Prototypes begin as the class text features, the paper's initialisation (Alg. 1, line 2).

    Raises:
        TrainError: The encoder has no text tower.
    """
    if inputs.text is None:
        raise TrainError(
            "prototypes cannot start from text",
            expected="an encoder with a text tower",
            found="an image-only encoder",
            fix="Start from 'soft-class-means' or 'random'.",
        )
    return {"prototypes": inputs.text.clone()}


def start_at_random(inputs: StartInputs) -> dict[str, Tensor]:
    """Prototypes begin as Gaussian directions of unit length."""
    classes, width = inputs.weak_probabilities.shape[1], inputs.features.shape[1]
    drawn = torch.randn(classes, width, generator=inputs.generator)
    return {"prototypes": functional.normalize(drawn, dim=-1)}


def start_from_class_means(inputs: StartInputs) -> dict[str, Tensor]:
    """Soft class means, C_k ∝ Σ_x p_w,k(x) f(x): one matrix product, no training.

    Each prototype is the mean direction of all features, weighted by how strongly the weak model
    assigns them to the class. A class without any weight gets the zero vector: it is never
    predicted rather than predicted at random.
    """
    sums = inputs.weak_probabilities.T @ inputs.features
    return {"prototypes": functional.normalize(sums, dim=-1)}
