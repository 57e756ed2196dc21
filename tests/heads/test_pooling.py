"""Pooled posteriors and the calibration of the text's scale."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import TrainError
from w2s_cache.heads.pooling import SCALES, OpinionPool, PooledMeans, agreement, peak

SEEDS = st.integers(0, 2**16)


@pytest.mark.parametrize("rows", [1, 60, 1100])
def test_the_pool_is_the_normalised_product_of_both_opinions(cloud, rows):
    """That is q ∝ softmax(z_w / tau) · softmax(s cos), elementwise, in float64."""
    inputs = cloud(rows=rows, dtype=torch.float64)
    pooled = OpinionPool(tau_weak=0.7, calibration="own")(inputs)
    weak = torch.softmax(inputs.weak_logits / 0.7, dim=-1)
    text = torch.softmax(20.0 * inputs.features @ inputs.text.T, dim=-1)
    product = weak * text
    torch.testing.assert_close(pooled, product / product.sum(dim=-1, keepdim=True))


def test_shares_of_zero_leave_one_opinion(cloud):
    """Without the text's share q is the weak softmax, without the weak share the text's."""
    inputs = cloud(dtype=torch.float64)
    only_weak = OpinionPool(text_share=0.0)(inputs)
    torch.testing.assert_close(only_weak, torch.softmax(inputs.weak_logits, dim=-1))
    only_text = OpinionPool(weak_share=0.0, calibration="own")(inputs)
    text = torch.softmax(20.0 * inputs.features @ inputs.text.T, dim=-1)
    torch.testing.assert_close(only_text, text)


@given(seed=SEEDS, classes=st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_agreement_is_its_literal_formula_at_every_scale(seed, classes):
    """Squared softmaxes give what taking each softmax anew gives: mean log Σ_y p_w p_t."""
    generator = torch.Generator().manual_seed(seed)
    cosines = torch.rand(9, classes, generator=generator, dtype=torch.float64) - 0.5
    weak = torch.softmax(torch.randn(9, classes, generator=generator).double(), dim=-1)
    measured = agreement(cosines, weak)
    for scale, value in zip(SCALES, measured, strict=True):
        text = torch.softmax(scale * cosines, dim=-1)
        expected = (text * weak).sum(dim=-1).log().mean()
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [12.0, 32.0, 100.0])
def test_agreement_finds_the_scale_that_drew_the_classes(scale):
    """Classes drawn from softmax(s cos) and told by the weak model: ℓ peaks at s."""
    generator = torch.Generator().manual_seed(0)
    cosines = torch.rand(20_000, 5, generator=generator) * 0.4
    drawn = torch.multinomial(torch.softmax(scale * cosines, dim=-1), 1, generator=generator)
    weak = torch.nn.functional.one_hot(drawn.squeeze(-1), 5).float()
    found = peak(agreement(cosines, weak).tolist())
    assert scale / 1.1 < found < scale * 1.1


def test_a_text_that_contradicts_the_weak_model_is_silenced():
    """Where every text opinion is wrong, the least scale agrees best."""
    weak = torch.eye(3).repeat(4, 1)
    contrary = 1 - weak
    assert peak(agreement(contrary, weak).tolist()) == SCALES[0]


def test_the_peak_of_a_parabola_is_found_exactly():
    """Values of −(log₂ s − 4.3)², peak at 2^4.3; at an end, and on a plain, the scale itself."""
    curve = [-((power - 4.3) ** 2) for power in range(len(SCALES))]
    assert peak(curve) == pytest.approx(2**4.3)
    assert peak(sorted(curve)) == SCALES[-1]
    assert peak([0.0] * len(SCALES)) == SCALES[0]


def test_impossible_agreement_stays_finite():
    """Opinions that exclude each other give a very low likelihood, not minus infinity."""
    weak = torch.tensor([[1.0, 0.0]])
    assert torch.isfinite(agreement(torch.tensor([[-1.0, 1.0]]), weak)).all()


def test_pooled_means_are_directions_of_weighted_sums(cloud):
    """C_k ∝ Σ_x q(k|x) f(x), unit rows, as a loop."""
    inputs = cloud(dtype=torch.float64)
    pooled = OpinionPool()(inputs)
    start = PooledMeans()(inputs)["prototypes"]
    for k in range(4):
        total = sum(q[k] * f for q, f in zip(pooled, inputs.features, strict=True))
        torch.testing.assert_close(start[k], total / total.norm())


def test_lengths_of_features_do_not_matter(cloud):
    """The text is compared by cosine, whatever the head works on."""
    inputs = cloud(dtype=torch.float64)
    longer = replace(inputs, features=inputs.features * torch.arange(1, 61).unsqueeze(-1))
    torch.testing.assert_close(OpinionPool()(longer), OpinionPool()(inputs))


def test_inputs_are_left_as_they_are(cloud):
    """Pooling works in memory of its own."""
    inputs = cloud()
    before = [inputs.features.clone(), inputs.weak_logits.clone(), inputs.text.clone()]
    OpinionPool()(inputs)
    after = [inputs.features, inputs.weak_logits, inputs.text]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_an_own_scale_that_does_not_exist_is_refused(cloud):
    """Anchors and image-only encoders have none; the error says what to set."""
    with pytest.raises(TrainError, match="calibration to 'agreement'"):
        OpinionPool(calibration="own")(replace(cloud(), logit_scale=None))


def test_pooling_without_text_is_refused(cloud):
    """There is nothing to pool with."""
    with pytest.raises(TrainError, match="cannot start from text"):
        OpinionPool()(replace(cloud(), text=None))


@pytest.mark.parametrize(
    ("option", "value"),
    [("tau_weak", 0.0), ("weak_share", -1.0), ("text_share", float("nan")), ("calibration", "x")],
)
def test_values_without_meaning_are_refused(option, value):
    """Before any run, by name."""
    with pytest.raises(TrainError, match=option):
        PooledMeans(**{option: value})
