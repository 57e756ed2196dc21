"""Cosines of unit features with class vectors of any length, for one run or a stack of runs.

Normalising the vectors with ``torch.nn.functional.normalize`` gives the same numbers; its
derivative costs about as much as a third of a prototype step's matrix products, this a fraction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_SMALLEST = 1e-12  # torch.nn.functional.normalize's own: a zero vector has cosine 0 with everything


def cosines(features: Tensor, vectors: Tensor) -> Tensor:
    """⟨f, v_k / ‖v_k‖⟩ of every feature and class vector; first derivatives of the vectors only.

    Args:
        features: (…, batch, d), unit rows, constants.
        vectors: (…, k, d), the same leading dimensions.

    Returns:
        (…, batch, k).
    """
    result: Tensor = _Cosines.apply(features, vectors)
    return result


def cosines_and_pull(
    features: Tensor, vectors: Tensor
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The cosines, and what takes a gradient by them (…, batch, k) to one by the vectors (…, k, d).

    With W the gradient by the unit vectors u, that by v is (W − ⟨W, u⟩ u) / ‖v‖, row by row.
    Nothing is recorded for automatic differentiation.
    """
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True).clamp_min_(_SMALLEST)
    unit = vectors / length

    def pull(gradient: Tensor) -> Tensor:
        pulled = gradient.mT @ features
        radial = torch.linalg.vecdot(pulled, unit).unsqueeze(-1)
        return pulled.addcmul_(unit, radial, value=-1.0).div_(length)

    return features @ unit.mT, pull


class _Cosines(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, vectors: Tensor) -> Tensor:
        result, ctx.pull = cosines_and_pull(features, vectors)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        pulled: Tensor = ctx.pull(gradients[0])
        return None, pulled
