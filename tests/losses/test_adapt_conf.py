"""AdaptConf against the published quotient, written out in float64."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.losses.adapt_conf import AdaptConf

# (temperature, tau_kd, beta of the first row, KL part, own part, sum): float64 evaluation of the
# authors' formulas without ground truth, by an independent script.
GOLDEN = [
    (0.5, 1.0, 0.04742587, 0.30036705, 0.20843895, 0.50880600),
    (1.0, 1.0, 0.18242552, 0.26990803, 0.21929793, 0.48920596),
    (8.0, 10.0, 0.45326185, 0.24710610, 0.24108322, 0.48818932),
]


def quotient(logits, weak, temperature):
    """The published β: exponentials of the two cross-entropies, one over their sum."""
    own = functional.cross_entropy(logits, logits.argmax(1), reduction="none")
    teacher = functional.cross_entropy(logits, weak.argmax(1), reduction="none")
    up = torch.exp(own / temperature)
    return (up / (up + torch.exp(teacher / temperature))).detach()


def parts(logits, weak, temperature, tau_kd, share=1.0):
    """The two summands of the published loss with w_gt = 0."""
    beta = share * quotient(logits, weak, temperature)
    p_w, p_s = torch.softmax(weak / tau_kd, 1), torch.softmax(logits / tau_kd, 1)
    divergence = (p_w * (p_w.log() - p_s.log())).sum(1)
    own = functional.cross_entropy(logits, logits.argmax(1), reduction="none")
    return ((1 - beta) * tau_kd**2 * divergence).mean(), (beta * own).mean()


def beta_of(loss, logits, weak):
    """The β that the loss uses."""
    return loss.beta(logits, logits.argmax(1), weak.argmax(1))


@pytest.mark.parametrize("golden", GOLDEN)
def test_golden_numbers(strong, weak, golden):
    """β, the two parts and their sum are the golden ones to eight digits."""
    temperature, tau_kd, beta, kd, own, total = golden
    loss = AdaptConf(temperature=temperature, tau_kd=tau_kd)
    expected = torch.tensor([beta, 0.5, 0.5], dtype=torch.float64)
    torch.testing.assert_close(beta_of(loss, strong, weak), expected, rtol=0, atol=1e-8)
    value = loss(strong, loss.targets(weak), progress=0.0)
    assert value.item() == pytest.approx(total, abs=1e-8)
    literal = parts(strong, weak, temperature, tau_kd)
    assert [part.item() for part in literal] == pytest.approx([kd, own], abs=1e-8)


@pytest.mark.parametrize(("temperature", "tau_kd"), [(0.5, 1.0), (1.0, 3.0), (8.0, 10.0)])
@pytest.mark.parametrize("tau_strong", [1.0, 0.1])
def test_gradient_is_that_of_the_literal_form(
    draw, value_and_gradient, temperature, tau_kd, tau_strong
):
    """Automatic differentiation of the published form in float64 gives the same gradient."""
    logits, weak = draw(4)
    logits = logits * tau_strong
    loss = AdaptConf(temperature=temperature, tau_kd=tau_kd, tau_strong=tau_strong)
    targets = loss.targets(weak)
    ours = value_and_gradient(lambda z: loss(z, targets, progress=0.0), logits)
    expected = value_and_gradient(
        lambda z: sum(parts(z / tau_strong, weak, temperature, tau_kd)), logits
    )
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-12)


def test_gradient_has_its_closed_form(draw, value_and_gradient):
    """At tau_kd 1 it is (1 − β)(p_s − p_w) + β(p_s − onehot(ŷ_s)), over the batch."""
    logits, weak = draw(5)
    loss = AdaptConf(temperature=1.0)
    targets = loss.targets(weak)
    _, gradient = value_and_gradient(lambda z: loss(z, targets, progress=0.0), logits)
    beta, p_s = quotient(logits, weak, 1.0).unsqueeze(1), torch.softmax(logits, 1)
    own = functional.one_hot(logits.argmax(1), 5)
    closed = (1 - beta) * (p_s - torch.softmax(weak, 1)) + beta * (p_s - own)
    torch.testing.assert_close(gradient, closed / len(logits))


@given(seed=st.integers(0, 2**32), temperature=st.floats(0.25, 50), classes=st.integers(2, 9))
@settings(deadline=None, max_examples=60)
def test_beta_is_at_most_a_half_and_a_half_only_in_agreement(seed, temperature, classes):
    """0 < β ≤ 1/2, and β = 1/2 exactly where the two argmaxes agree."""
    generator = torch.Generator().manual_seed(seed)
    logits, weak = 2 * torch.randn(2, 20, classes, generator=generator, dtype=torch.float64)
    beta = beta_of(AdaptConf(temperature=temperature), logits, weak)
    assert (beta > 0).all()
    assert (beta <= 0.5).all()
    assert torch.equal(beta == 0.5, logits.argmax(1) == weak.argmax(1))


@pytest.mark.parametrize("size", [1e4, 65504.0])
@pytest.mark.parametrize("temperature", [1e-2, 0.5, 8.0])
def test_nothing_overflows_at_large_logits(value_and_gradient, size, temperature):
    """At logits as large as float16's range, value and gradient stay finite and β in [0, ½]."""
    logits = torch.tensor([[size, -size, 0.0], [-size, size, 1.0], [0.0, 0.0, size]])
    weak = logits.roll(1, dims=1)
    loss = AdaptConf(temperature=temperature)
    beta = beta_of(loss, logits, weak)
    assert ((beta >= 0) & (beta <= 0.5)).all()
    targets = loss.targets(weak)
    value, gradient = value_and_gradient(lambda z: loss(z, targets, progress=0.0), logits)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize(("progress", "share"), [(0.0, 0.0), (0.05, 0.2), (0.125, 0.5), (0.25, 1)])
def test_beta_rises_over_the_ramp(strong, weak, progress, share):
    """A ramp of 0.25 multiplies β by progress / 0.25 until it is full, and leaves it full."""
    loss = AdaptConf(ramp=0.25)
    value = loss(strong, loss.targets(weak), progress=progress)
    expected = sum(parts(strong, weak, 0.5, 1.0, share=share))
    assert value.item() == pytest.approx(expected.item(), abs=1e-12)
    late = loss(strong, loss.targets(weak), progress=0.99)
    assert late.item() == pytest.approx(0.50880600, abs=1e-8)


@pytest.mark.parametrize("field", ["temperature", "tau_kd", "tau_strong", "tau_weak"])
@pytest.mark.parametrize("tau", [0.0, -1.0, math.nan, math.inf])
def test_temperatures_without_meaning_are_refused(field, tau):
    """Each of the four temperatures has to be a finite number above 0."""
    with pytest.raises(TrainError, match=f"temperature {field}: expected"):
        AdaptConf(**{field: tau})


@pytest.mark.parametrize("ramp", [-0.1, 1.1, math.nan])
def test_a_ramp_is_a_share_of_training(ramp):
    """Outside [0, 1] it is an error of four parts."""
    with pytest.raises(TrainError, match="hyper-parameter ramp: expected") as caught:
        AdaptConf(ramp=ramp)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
