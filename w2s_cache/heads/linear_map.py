"""Features times class vectors, for one run or a stack of runs.

Automatic differentiation of ``features @ vectors.mT`` gives the vectors' gradient transposed in
memory, and every optimizer step would have to copy it into place; here it is born as it is needed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def linear_map(features: Tensor, vectors: Tensor) -> Tensor:
    """⟨f, v_k⟩ of every feature and class vector; first derivatives of the vectors only.

    Args:
        features: (…, batch, d), constants.
        vectors: (…, k, d), the same leading dimensions.

    Returns:
        (…, batch, k).
    """
    products: Tensor = _LinearMap.apply(features, vectors)
    return products


class _LinearMap(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, vectors: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        return features @ vectors.mT

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        (features,) = ctx.saved_tensors
        return None, gradients[0].mT @ features
