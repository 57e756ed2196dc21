"""torch's own Adam, AdamW and SGD in their functional form.

The optimizer classes import torch's compiler on first use, which takes longer than a whole training
run; the functions they call do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8
_MOMENTUM = 0.9


@dataclass(slots=True, kw_only=True)
class Optimizer:
    """State of one optimisation; ``step`` changes the parameters in place.

    Args:
        name: ``"adam"``, ``"adamw"`` or ``"sgd"`` (momentum 0.9).
        parameters: Leaf tensors with gradients.
        weight_decay: L2 penalty; decoupled from the gradient for adamw.
    """

    name: str
    parameters: Sequence[Tensor]
    weight_decay: float
    first: list[Tensor] = field(init=False)
    second: list[Tensor] = field(init=False)
    steps: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        """Moments begin at zero."""
        self.first = [torch.zeros_like(value) for value in self.parameters]
        self.second = [torch.zeros_like(value) for value in self.parameters]
        self.steps = [torch.zeros((), device=value.device) for value in self.parameters]

    @torch.no_grad()
    def step(self, rate: float, gradients: Sequence[Tensor]) -> None:
        """One update with learning rate ``rate``; gradients have the parameters' shapes."""
        # the fused kernels walk memory, whatever the strides say
        gradients = [gradient.contiguous() for gradient in gradients]
        if self.name == "sgd":
            self._sgd(rate, gradients)
        else:
            adam(
                list(self.parameters),
                list(gradients),
                self.first,
                self.second,
                [],
                self.steps,
                fused=True,
                amsgrad=False,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                lr=rate,
                weight_decay=self.weight_decay,
                eps=_EPSILON,
                maximize=False,
                decoupled_weight_decay=self.name == "adamw",
            )

    def _sgd(self, rate: float, gradients: Sequence[Tensor]) -> None:
        sgd(
            list(self.parameters),
            list(gradients),
            list(self.first),
            fused=True,
            weight_decay=self.weight_decay,
            momentum=_MOMENTUM,
            lr=rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
