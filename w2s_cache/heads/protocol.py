"""What training asks of a head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class StartInputs:
    """What a head may begin from; all of it is known without test labels.

    Attributes:
        features: (n, d) float32, prepared features of the fit rows.
        weak_probabilities: (n, k) float32, the supervision's softmax on the same rows.
        text: (k, d) float32 unit rows, class text features; None without a text tower.
        generator: Source of every random number.
    """

    features: Tensor
    weak_probabilities: Tensor
    text: Tensor | None
    generator: torch.Generator


class Head(Protocol):
    """A classifier over frozen features."""

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) float32 → what the head works on (n, d); done once per split."""
        ...

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """Prepared features (batch, d) → logits (batch, k)."""
        ...
