"""The loss of a batch and its gradients, in closed form or by automatic differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.losses.distillation import Distillation
from w2s_cache.train.gradient import loss_and_gradients


def _batch(lead: tuple[int, ...], loss: Distillation) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Prototypes, features and targets of 9 rows and 4 classes, float64."""
    generator = torch.Generator().manual_seed(0)
    prototypes, features, weak = (
        torch.randn(*lead, *shape, dtype=torch.float64, generator=generator)
        for shape in ((4, 6), (9, 6), (9, 4))
    )
    return prototypes, PrototypeHead().prepare(features), loss.targets(weak)


@pytest.mark.parametrize("lead", [(), (3,)], ids=["one run", "three runs"])
@pytest.mark.parametrize("rescale", [False, True])
def test_closed_form_of_prototypes_agrees_with_automatic_differentiation(lead, rescale):
    """Value and gradient of CPL equal those of autograd through the written formula, float64."""
    loss = Distillation(tau_strong=0.1, tau_weak=0.3, rescale=rescale)
    prototypes, features, targets = _batch(lead, loss)
    value, gradients = loss_and_gradients(PrototypeHead(), loss)(
        {"prototypes": prototypes}, features, targets, progress=0.0
    )
    leaf = prototypes.clone().requires_grad_()
    cosine = features @ torch.nn.functional.normalize(leaf, dim=-1).mT
    log_strong = torch.log_softmax(cosine / 0.1, dim=-1)
    weak = targets["probability"]
    expected = (weak * (weak.log() - log_strong)).sum(dim=-1).mean(dim=-1)
    expected = expected * (0.1 * 0.3 if rescale else 1.0)
    torch.testing.assert_close(value, expected.detach(), rtol=1e-10, atol=1e-12)
    (by_autograd,) = torch.autograd.grad(expected.sum(), [leaf])
    torch.testing.assert_close(gradients[0], by_autograd, rtol=1e-9, atol=1e-12)


@dataclass(frozen=True, slots=True)
class _Halved(PrototypeHead):
    """Changes the logits and inherits their derivative, which is no longer theirs."""

    def logits(self, parameters, prepared):
        return PrototypeHead.logits(self, parameters, prepared) / 2


@dataclass(frozen=True, slots=True)
class _Doubled(Distillation):
    """Changes the loss and inherits its gradient, which is no longer its own."""

    def __call__(self, logits, targets, *, progress):
        return 2 * Distillation.__call__(self, logits, targets, progress=progress)


@pytest.mark.parametrize("head", [PrototypeHead(), _Halved()], ids=["own", "subclass"])
@pytest.mark.parametrize("kind", [Distillation, _Doubled])
def test_subclass_that_changes_one_of_a_pair_is_differentiated_automatically(head, kind):
    """An inherited derivative is never used for a function that it does not belong to."""
    loss = kind(tau_strong=0.5, tau_weak=0.5)
    prototypes, features, targets = _batch((), loss)
    value, gradients = loss_and_gradients(head, loss)(
        {"prototypes": prototypes.requires_grad_()}, features, targets, progress=0.0
    )
    leaf = prototypes.detach().clone().requires_grad_()
    expected = loss(head.logits({"prototypes": leaf}, features), targets, progress=0.0)
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(gradients[0], torch.autograd.grad(expected, [leaf])[0])
