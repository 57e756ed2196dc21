"""Cross-entropy on the supervision's argmax and on soft targets."""

import math

import pytest
import torch

from w2s_cache.errors import TrainError
from w2s_cache.losses.cross_entropy import CrossEntropy, soft_cross_entropy


def test_uniform_logits_cost_the_logarithm_of_the_class_count():
    """Closed form: equal logits give −log(1/4)."""
    loss = CrossEntropy()
    targets = loss.targets(torch.eye(4))
    assert loss(torch.zeros(4, 4), targets, progress=0.0).item() == pytest.approx(math.log(4))


def test_value_is_the_mean_of_minus_log_softmax_at_the_weak_argmax(strong, weak):
    """The literal double loop over rows and classes gives the same number."""
    loss = CrossEntropy(tau_strong=0.5)
    rows = []
    for z_s, z_w in zip(strong.tolist(), weak.tolist(), strict=True):
        total = sum(math.exp(2 * z) for z in z_s)
        rows.append(-math.log(math.exp(2 * z_s[z_w.index(max(z_w))]) / total))
    value = loss(strong, loss.targets(weak), progress=0.0)
    assert value.item() == pytest.approx(sum(rows) / 3, abs=1e-12)


@pytest.mark.parametrize("tau", [1.0, 0.1, 4.0])
def test_soft_form_has_the_value_and_gradient_of_automatic_differentiation(
    draw, value_and_gradient, tau
):
    """The stored gradient is that of −Σ q log softmax(z/τ), written out, in float64."""
    logits, weak = draw(0)
    target = torch.softmax(weak, dim=-1)
    ours, gradient = value_and_gradient(lambda z: soft_cross_entropy(z, target, tau=tau), logits)

    def literal(z):
        exponentials = torch.exp(z / tau)
        return -(target * torch.log(exponentials / exponentials.sum(1, keepdim=True))).sum(1).mean()

    value, expected = value_and_gradient(literal, logits)
    torch.testing.assert_close(ours, value, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-12)


def test_soft_form_scales_its_gradient_by_what_arrives(draw, value_and_gradient):
    """Three times the loss has three times the gradient."""
    logits, weak = draw(1)
    target = torch.softmax(weak, dim=-1)
    _, once = value_and_gradient(lambda z: soft_cross_entropy(z, target), logits)
    _, thrice = value_and_gradient(lambda z: 3 * soft_cross_entropy(z, target), logits)
    torch.testing.assert_close(thrice, 3 * once)


def test_soft_form_leaves_its_inputs_alone(draw):
    """Neither the logits nor the target are written to."""
    logits, weak = draw(2)
    target = torch.softmax(weak, dim=-1)
    before = logits.clone(), target.clone()
    soft_cross_entropy(logits.requires_grad_(), target, tau=1.0).backward()
    assert torch.equal(logits, before[0])
    assert torch.equal(target, before[1])


@pytest.mark.parametrize("tau", [0, -1.0, math.nan, math.inf, "0.1", True])
def test_temperatures_without_meaning_are_refused(tau):
    """The error names the temperature and has four parts."""
    with pytest.raises(TrainError, match="temperature tau_strong: expected") as caught:
        CrossEntropy(tau_strong=tau)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


def test_soft_form_is_exact_where_exponentials_would_not_be():
    """Of float32 logits far apart, far from zero, a right row costs 0 and a wrong one its gap."""
    logits = torch.tensor([[300.0, 0.0, -300.0], [1e4, 1e4 - 200, 0.0]])
    right, wrong = torch.eye(3)[[0, 0]], torch.eye(3)[[1, 1]]
    assert soft_cross_entropy(logits, right).item() == 0.0
    assert soft_cross_entropy(logits, wrong).item() == pytest.approx((300 + 200) / 2)
