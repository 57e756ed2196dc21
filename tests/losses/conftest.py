"""The small logits of the golden numbers, and gradients of any scalar function of logits."""

import pytest
import torch


@pytest.fixture
def strong():
    """Three rows of strong logits, three classes, float64."""
    return torch.tensor([[2, 0.5, -1], [0.1, 0.3, 0.2], [-0.5, 1.5, 3]], dtype=torch.float64)


@pytest.fixture
def weak():
    """The weak logits of the same rows; the two argmaxes differ in the first row only."""
    return torch.tensor([[1, 2, 0], [0, 1, 0.5], [0.2, -0.3, 0.9]], dtype=torch.float64)


@pytest.fixture
def draw():
    """Draws pairs of float64 logits (rows, classes) from a seed."""

    def drawn(seed, rows=7, classes=5, scale=2.0):
        generator = torch.Generator().manual_seed(seed)
        shape = (2, rows, classes)
        return scale * torch.randn(shape, generator=generator, dtype=torch.float64)

    return drawn


@pytest.fixture
def value_and_gradient():
    """Evaluates a scalar function of logits and its gradient by automatic differentiation."""

    def evaluated(function, logits):
        leaf = logits.detach().clone().requires_grad_()
        value = function(leaf)
        value.backward()
        return value.detach(), leaf.grad

    return evaluated
