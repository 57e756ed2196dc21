"""The functional optimizers."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from w2s_cache.train.optimizer import Optimizer

CLASSES = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, fused=True),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=0.1, momentum=0.9, fused=True),
}


@pytest.mark.parametrize("name", CLASSES)
def test_steps_are_those_of_the_optimizer_class(name: str) -> None:
    """Five steps give the same bits as torch's optimizer class of that name."""
    ours = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    optimizer = Optimizer(name=name, parameters=[ours], weight_decay=0.1)
    reference = CLASSES[name]([theirs])
    for _ in range(5):
        optimizer.step(0.01, torch.autograd.grad((ours**3).sum(), [ours]))
        reference.zero_grad()
        (theirs**3).sum().backward()
        reference.step()
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", CLASSES)
def test_gradients_may_be_transposed_in_memory(name: str) -> None:
    """Torch's fused kernels read a strided gradient in memory order; ours read it by position."""
    plain = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    gradient = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    results = []
    for given in (gradient, gradient.mT.contiguous().mT):
        parameter = plain.clone().requires_grad_()
        Optimizer(name=name, parameters=[parameter], weight_decay=0.1).step(0.01, [given])
        results.append(parameter.detach())
    assert torch.equal(*results)


def test_training_does_not_import_the_compiler() -> None:
    """A step leaves torch's compiler unimported: importing it takes longer than a run."""
    code = (
        "import sys, torch\n"
        "from w2s_cache.train.optimizer import Optimizer\n"
        "p = torch.ones(3, requires_grad=True)\n"
        "o = Optimizer(name='adam', parameters=[p], weight_decay=0.0)\n"
        "o.step(0.1, torch.autograd.grad((p * p).sum(), [p]))\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
