"""Forward KL: KD and the CPL paper's Eq. 5."""

import math

import pytest
import torch

from w2s_cache.errors import TrainError
from w2s_cache.losses.distillation import Distillation

# Float64 evaluation of the right-hand side of Eq. 5 at tau 1, by an independent script.
PER_ROW = [0.67686887, 0.04973584, 0.46293091]
MEAN, REVERSED_MEAN = 0.39651187, 0.31380889


def test_equation_5_is_the_sum_it_spells_out(strong, weak):
    """KL(p_w ‖ p_s) of the golden logits, and not the other direction."""
    loss = Distillation()
    value = loss(strong, loss.targets(weak), progress=0.0).item()
    assert value == pytest.approx(MEAN, abs=1e-8)
    assert abs(value - REVERSED_MEAN) > 0.05


@pytest.mark.parametrize("row", range(3))
def test_each_row_has_its_golden_divergence(strong, weak, row):
    """A batch of one row is that row's divergence."""
    loss, kept = Distillation(), slice(row, row + 1)
    value = loss(strong[kept], loss.targets(weak[kept]), progress=0.0)
    assert value.item() == pytest.approx(PER_ROW[row], abs=1e-8)


def test_the_other_direction_is_the_loss_with_the_sides_exchanged(strong, weak):
    """The golden reverse divergence is that of weak logits under strong supervision."""
    loss = Distillation()
    value = loss(weak, loss.targets(strong), progress=0.0)
    assert value.item() == pytest.approx(REVERSED_MEAN, abs=1e-8)


@pytest.mark.parametrize(("tau_strong", "tau_weak"), [(1.0, 1.0), (0.1, 0.1), (0.3, 2.0)])
@pytest.mark.parametrize("rescale", [False, True])
def test_value_and_gradient_are_those_of_the_formula(
    draw, value_and_gradient, tau_strong, tau_weak, rescale
):
    """Σ p_w log(p_w / p_s), written out and differentiated in float64, with Hinton's factor."""
    logits, weak = draw(3)
    loss = Distillation(tau_strong=tau_strong, tau_weak=tau_weak, rescale=rescale)
    factor = tau_strong * tau_weak if rescale else 1.0

    def literal(z):
        p_w, p_s = torch.softmax(weak / tau_weak, 1), torch.softmax(z / tau_strong, 1)
        return factor * (p_w * torch.log(p_w / p_s)).sum(1).mean()

    targets = loss.targets(weak)
    ours = value_and_gradient(lambda z: loss(z, targets, progress=0.0), logits)
    torch.testing.assert_close(ours, value_and_gradient(literal, logits), rtol=1e-9, atol=1e-12)


def test_divergence_from_itself_is_nothing(strong):
    """Equal sides give 0, at any temperature."""
    loss = Distillation(tau_strong=0.2, tau_weak=0.2)
    assert loss(strong, loss.targets(strong), progress=0.0).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("field", ["tau_strong", "tau_weak"])
@pytest.mark.parametrize("tau", [0.0, -0.1, math.nan, math.inf])
def test_temperatures_without_meaning_are_refused(field, tau):
    """Zero, negative, undefined and infinite temperatures are errors that name the field."""
    with pytest.raises(TrainError, match=f"temperature {field}: expected .* found {tau}"):
        Distillation(**{field: tau})
