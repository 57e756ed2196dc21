"""The contract of every loss, whatever its formula."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.losses.aug_conf import AugConf
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.losses.distillation import Distillation
from w2s_cache.losses.product import Product
from w2s_cache.losses.protocol import linear_ramp

LOSSES = {
    "ce": CrossEntropy(),
    "kd": Distillation(),
    "kd-cold": Distillation(tau_strong=0.1, tau_weak=0.1),
    "adapt": AdaptConf(),
    "adapt-soft": AdaptConf(temperature=8.0, tau_kd=10.0, ramp=0.25),
    "aux-none": AuxConf(balance="none"),
    "aux-batch": AuxConf(),
    "aug": AugConf(),
    "product": Product(),
}
each = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


def pair(seed, rows, classes):
    """Strong and weak float64 logits of a seed."""
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(2, rows, classes, generator=generator, dtype=torch.float64)


@each
@given(seed=st.integers(0, 2**32), classes=st.integers(3, 6))
@settings(deadline=None, max_examples=20)
def test_names_of_classes_do_not_matter(loss, seed, classes):
    """Permuting the classes of both sides permutes the gradient and keeps the value."""
    strong, weak = pair(seed, 8, classes)
    order = torch.randperm(classes, generator=torch.Generator().manual_seed(seed))
    results = []
    for z_s, z_w in ((strong, weak), (strong[:, order], weak[:, order])):
        leaf = z_s.clone().requires_grad_()
        value = loss(leaf, loss.targets(z_w), progress=0.5)
        value.backward()
        results.append((value.detach(), leaf.grad))
    torch.testing.assert_close(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1][:, order], results[1][1])


@each
@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=20)
def test_targets_of_a_row_depend_on_that_row_alone(loss, seed):
    """Targets of some rows are the rows of the targets: batches may be cut afterwards."""
    _, weak = pair(seed, 12, 4)
    rows = torch.randperm(12, generator=torch.Generator().manual_seed(seed))[:5]
    whole, part = loss.targets(weak), loss.targets(weak[rows])
    assert whole.keys() == part.keys()
    for name, value in whole.items():
        assert len(value) == 12
        torch.testing.assert_close(value[rows], part[name])


@each
@pytest.mark.parametrize("size", [1e4, 65504.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_logits_give_finite_values_and_gradients(loss, size, dtype):
    """Up to float16's largest number on either side nothing overflows or is undefined."""
    strong = torch.tensor([[size, -size, 0], [-size, size, 1], [0, 0, size], [0, 0, 0]])
    weak = strong.roll(1, dims=1).to(dtype)
    leaf = strong.to(dtype).requires_grad_()
    value = loss(leaf, loss.targets(weak), progress=0.5)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(leaf.grad).all()


@each
def test_targets_of_absolute_certainty_give_finite_values_and_gradients(loss):
    """Ground truth written as logits of 0 and −10⁹ is supervision like any other."""
    weak = torch.where(torch.eye(3).bool(), 0.0, -1e9)
    leaf = torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss(leaf, loss.targets(weak), progress=0.5).backward()
    assert torch.isfinite(leaf.grad).all()


@each
def test_gradient_of_every_row_sums_to_nothing(loss):
    """No loss sees a constant added to all logits of a row."""
    strong, weak = pair(0, 9, 5)
    leaf = strong.clone().requires_grad_()
    value = loss(leaf, loss.targets(weak), progress=0.5)
    value.backward()
    torch.testing.assert_close(leaf.grad.sum(1), torch.zeros(9, dtype=torch.float64))
    shifted = loss(strong + torch.arange(9.0)[:, None], loss.targets(weak), progress=0.5)
    torch.testing.assert_close(shifted, value)


@each
def test_single_precision_agrees_with_double(loss):
    """float32 values, which training uses, are those of float64 to six digits."""
    strong, weak = pair(1, 16, 6)
    double = loss(strong, loss.targets(weak), progress=0.5)
    single = loss(strong.float(), loss.targets(weak.float()), progress=0.5)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("progress", "share", "factor"),
    [(0.0, 0.0, 1), (0.0, 0.2, 0), (0.1, 0.2, 0.5), (0.2, 0.2, 1), (0.9, 0.2, 1), (0.5, 1, 0.5)],
)
def test_ramp_rises_linearly_and_stays(progress, share, factor):
    """0 at the start, 1 from the end of the share on; share 0 is no ramp at all."""
    assert linear_ramp(progress, share) == pytest.approx(factor)
