"""The loss of a batch and its gradients: in closed form where head and loss know theirs."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from w2s_cache.heads.protocol import Differentiated, Head, Parameters
from w2s_cache.losses.protocol import Graded, Loss, Targets


class LossAndGradients(Protocol):
    """Evaluates one batch."""

    def __call__(
        self, parameters: Parameters, prepared: Tensor, targets: Targets, *, progress: float
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss, (runs,) or a scalar in nats, and its sum's gradient by every parameter."""
        ...


def loss_and_gradients(head: Head, loss: Loss) -> LossAndGradients:
    """The closed form of this head and this loss, or automatic differentiation of them.

    The two agree up to float rounding; at sizes where matrix products take 2 ms a step, the
    automatic one takes about 0.15 ms more.
    """
    if (
        isinstance(head, Differentiated)
        and _same_owner(head, "logits", "logits_and_pull")
        and isinstance(loss, Graded)
        and _same_owner(loss, "__call__", "value_and_gradient")
    ):
        return _closed(head, loss)
    return _automatic(head, loss)


def _closed(head: Differentiated, loss: Graded) -> LossAndGradients:
    @torch.no_grad()
    def evaluate(
        parameters: Parameters, prepared: Tensor, targets: Targets, *, progress: float
    ) -> tuple[Tensor, list[Tensor]]:
        logits, pull = head.logits_and_pull(parameters, prepared)
        value, gradient = loss.value_and_gradient(logits, targets, progress=progress)
        pulled = pull(gradient)
        return value, [pulled[name] for name in parameters]

    return evaluate


def _automatic(head: Head, loss: Loss) -> LossAndGradients:
    def evaluate(
        parameters: Parameters, prepared: Tensor, targets: Targets, *, progress: float
    ) -> tuple[Tensor, list[Tensor]]:
        value = loss(head.logits(parameters, prepared), targets, progress=progress)
        gradients = torch.autograd.grad(value.sum(), list(parameters.values()))
        return value.detach(), list(gradients)

    return evaluate


def _same_owner(part: object, function: str, derivative: str) -> bool:
    """Whether one class defines both: else a subclass changed the function alone."""
    for owner in type(part).__mro__:
        if function in vars(owner) or derivative in vars(owner):
            return function in vars(owner) and derivative in vars(owner)
    return False
