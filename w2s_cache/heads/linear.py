"""Linear probe: W f + b over cached features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.heads.linear_map import linear_map
from w2s_cache.heads.protocol import Parameters, StartInputs, require_text


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A linear classifier with bias.

    Args:
        normalize: Whether features are scaled to unit L2 norm first. The founding paper does not
            say; raw features are the convention of CLIP's own linear probe.
    """

    normalize: bool = False

    stackable: ClassVar[bool] = True

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) → raw or unit-norm features (n, d)."""
        return functional.normalize(features, dim=-1) if self.normalize else features

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """(batch, d) → logits (batch, k), unscaled."""
        products = linear_map(prepared, parameters["weight"])
        return products.add_(parameters["bias"].unsqueeze(-2))


@dataclass(frozen=True, slots=True)
class UniformStart:
    """torch.nn.Linear's own initialisation: uniform in ±1/sqrt(d), from the given generator."""

    needs_text: ClassVar[bool] = False
    rowless: ClassVar[bool] = True

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``weight`` (k, d) and ``bias`` (k,)."""
        classes, width = inputs.weak_logits.shape[1], inputs.features.shape[1]
        bound = width**-0.5
        weight = torch.rand(classes, width, generator=inputs.generator)
        bias = torch.rand(classes, generator=inputs.generator)
        return {"weight": (2 * weight - 1) * bound, "bias": (2 * bias - 1) * bound}


@dataclass(frozen=True, slots=True)
class ScaledTextStart:
    """A probe that begins as zero-shot: W = logit scale · text features, b = 0.

    Meant for unit-norm features (``normalize = true``), on which its first logits are CLIP's own.
    """

    needs_text: ClassVar[bool] = True
    rowless: ClassVar[bool] = True

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``weight`` (k, d) and ``bias`` (k,).

        Raises:
            TrainError: The encoder has no text tower.
        """
        text = require_text(inputs)
        weight = text * (1.0 if inputs.logit_scale is None else inputs.logit_scale)
        return {"weight": weight, "bias": torch.zeros(len(text), device=text.device)}
