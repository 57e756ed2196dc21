"""AugConf: golden numbers, its ramp and its relation to AuxConf."""

import math

import pytest
import torch
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.losses.aug_conf import AugConf
from w2s_cache.losses.aux_conf import AuxConf


# Float64 evaluation of the authors' formula without ground truth, by an independent script.
@pytest.mark.parametrize(
    ("alpha", "total"), [(0.0, 0.39651187), (0.25, 0.41980525), (0.5, 0.44309864)]
)
def test_golden_numbers(strong, weak, alpha, total):
    """After the ramp the loss at three α is the golden one to eight digits."""
    loss = AugConf(alpha_max=alpha)
    value = loss(strong, loss.targets(weak), progress=0.9)
    assert value.item() == pytest.approx(total, abs=1e-8)


@pytest.mark.parametrize(("progress", "alpha"), [(0.0, 0.0), (0.15, 0.25), (0.3, 0.5), (0.99, 0.5)])
def test_alpha_rises_linearly_over_the_warm_up(strong, weak, progress, alpha):
    """α is 0 at the start, half of its maximum at half the warm-up, its maximum from the end on."""
    full = AugConf(alpha_max=alpha, warmup=0.0)
    expected = full(strong, full.targets(weak), progress=0.0)
    loss = AugConf(alpha_max=0.5, warmup=0.3)
    value = loss(strong, loss.targets(weak), progress=progress)
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("tau_kd", [1.0, 4.0])
@pytest.mark.parametrize("tau_strong", [1.0, 0.1])
def test_value_and_gradient_are_those_of_the_formula(draw, value_and_gradient, tau_kd, tau_strong):
    """The formula, written out and differentiated in float64."""
    logits, weak = draw(6)
    loss = AugConf(alpha_max=0.4, warmup=0.0, tau_kd=tau_kd, tau_strong=tau_strong)
    targets = loss.targets(weak)

    def literal(raw):
        z = raw / tau_strong
        p_w, p_s = torch.softmax(weak / tau_kd, 1), torch.softmax(z / tau_kd, 1)
        divergence = (p_w * torch.log(p_w / p_s)).sum(1).mean()
        return 0.6 * tau_kd**2 * divergence + 0.4 * functional.cross_entropy(z, z.argmax(1))

    ours = value_and_gradient(lambda z: loss(z, targets, progress=0.0), logits)
    torch.testing.assert_close(ours, value_and_gradient(literal, logits), rtol=1e-9, atol=1e-12)


def test_gradient_is_that_of_unbalanced_aux_conf(draw, value_and_gradient):
    """AuxConf without balance differs by the entropy of the weak labels, a constant."""
    logits, weak = draw(7)
    gradients = []
    for loss in (AugConf(warmup=0.2), AuxConf(balance="none", warmup=0.2)):
        targets = loss.targets(weak)
        step = value_and_gradient(lambda z, f=loss, t=targets: f(z, t, progress=0.1), logits)
        gradients.append(step[1])
    torch.testing.assert_close(gradients[0], gradients[1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alpha_max": 1.5}, "hyper-parameter alpha_max: .* found 1.5"),
        ({"alpha_max": -0.1}, "hyper-parameter alpha_max: .* found -0.1"),
        ({"warmup": math.nan}, "hyper-parameter warmup: .* found nan"),
        ({"tau_kd": 0.0}, "temperature tau_kd: .* found 0.0"),
    ],
)
def test_options_without_meaning_are_refused(options, said):
    """Shares outside [0, 1] and temperatures of 0 are errors that name field and value."""
    with pytest.raises(TrainError, match=said):
        AugConf(**options)
