"""The product loss."""

import pytest
import torch

from w2s_cache.errors import TrainError
from w2s_cache.losses.product import Product

BINARY = torch.tensor([[0.2, -0.1], [1, 0], [-0.5, 0.7], [0, 0.4]], dtype=torch.float64)
BINARY_WEAK = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]], dtype=torch.float64)


def test_golden_number():
    """Exponents (1, 1): float64 evaluation of the released formula by an independent script."""
    loss = Product()
    value = loss(BINARY, loss.targets(BINARY_WEAK.log()), progress=0.0)
    assert value.item() == pytest.approx(0.51457069, abs=1e-8)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, 2.0), (1.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("tau_strong", [1.0, 0.1])
def test_value_and_gradient_are_those_of_the_formula(
    draw, value_and_gradient, alpha, beta, tau_strong
):
    """Powers multiplied, normalised, detached: written out and differentiated in float64."""
    logits, weak = draw(8)
    logits = logits * tau_strong
    loss = Product(alpha=alpha, beta=beta, tau_strong=tau_strong, tau_weak=2.0)
    targets = loss.targets(weak)

    def literal(z):
        p_s, p_w = torch.softmax(z / tau_strong, 1), torch.softmax(weak / 2.0, 1)
        product = p_s**beta * p_w**alpha
        target = (product / product.sum(1, keepdim=True)).detach()
        return -(target * p_s.log()).sum(1).mean()

    ours = value_and_gradient(lambda z: loss(z, targets, progress=0.0), logits)
    torch.testing.assert_close(ours, value_and_gradient(literal, logits), rtol=1e-9, atol=1e-12)


def test_without_the_strong_factor_it_is_cross_entropy_with_the_weak_labels(strong, weak):
    """At exponents (1, 0) the loss is −Σ p_w log p_s."""
    loss = Product(alpha=1.0, beta=0.0)
    expected = -(torch.softmax(weak, 1) * torch.log_softmax(strong, 1)).sum(1).mean()
    torch.testing.assert_close(loss(strong, loss.targets(weak), progress=0.0), expected)


def test_without_the_weak_factor_a_row_has_no_gradient(draw, value_and_gradient):
    """At exponents (0, 1) the target is the student itself: nothing to learn."""
    logits, weak = draw(9)
    loss = Product(alpha=0.0, beta=1.0)
    targets = loss.targets(weak)
    _, gradient = value_and_gradient(lambda z: loss(z, targets, progress=0.0), logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)


@pytest.mark.parametrize("options", [{"alpha": -0.5}, {"beta": -1.0}, {"tau_strong": 0.0}])
def test_options_without_meaning_are_refused(options):
    """Negative exponents and temperatures of 0 are errors that name the field."""
    with pytest.raises(TrainError, match=f" {next(iter(options))}: expected"):
        Product(**options)
