"""The linear probe."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.linear import LinearHead, ScaledTextStart, UniformStart
from w2s_cache.heads.protocol import StartInputs


def inputs(seed=0, classes=3, width=16):
    """Start inputs of six rows, all features and weak logits equal."""
    return StartInputs(
        head=LinearHead(),
        features=torch.ones(6, width),
        weak_logits=torch.zeros(6, classes),
        text=None,
        logit_scale=None,
        generator=torch.Generator().manual_seed(seed),
    )


def test_logits_are_weight_times_feature_plus_bias():
    """A product worked out by hand."""
    parameters = {"weight": torch.tensor([[1.0, 2], [0, -1]]), "bias": torch.tensor([0.5, 0])}
    logits = LinearHead().logits(parameters, torch.tensor([[3.0, 4]]))
    assert logits.tolist() == [[11.5, -4.0]]


def test_features_stay_raw_unless_asked_for():
    """(3, 4) stays as it is, or becomes (0.6, 0.8)."""
    features = torch.tensor([[3.0, 4]])
    assert torch.equal(LinearHead().prepare(features), features)
    scaled = LinearHead(normalize=True).prepare(features)
    torch.testing.assert_close(scaled, torch.tensor([[0.6, 0.8]]))


def test_a_zero_vector_normalises_to_itself():
    """No division by zero: the row stays zero."""
    prepared = LinearHead(normalize=True).prepare(torch.zeros(1, 4))
    assert prepared.tolist() == [[0.0] * 4]


def test_start_is_uniform_within_one_over_the_root_of_the_width():
    """Weight (k, d) and bias (k,) fill ±1/sqrt(16) = ±0.25 and do not leave it."""
    start = UniformStart()(inputs(classes=200))
    assert start["weight"].shape == (200, 16)
    assert start["bias"].shape == (200,)
    for value in start.values():
        assert value.abs().max() <= 0.25
        assert value.max() > 0.23
        assert value.min() < -0.23


@pytest.mark.parametrize(("seed", "same"), [(0, True), (1, False)])
def test_start_is_a_function_of_its_generator(seed, same):
    """Equal seeds give equal bits, others do not."""
    one, other = UniformStart()(inputs()), UniformStart()(inputs(seed))
    assert torch.equal(one["weight"], other["weight"]) == same
    assert torch.equal(one["bias"], other["bias"]) == same


def test_a_probe_started_from_text_is_zero_shot():
    """On unit-norm features its first logits are the scaled cosines with the text features."""
    text = functional.normalize(torch.randn(3, 16, generator=torch.Generator().manual_seed(1)))
    given = replace(inputs(), text=text, logit_scale=20.0)
    head = LinearHead(normalize=True)
    features = torch.randn(5, 16, generator=torch.Generator().manual_seed(2))
    logits = head.logits(ScaledTextStart()(given), head.prepare(features))
    expected = 20.0 * torch.cosine_similarity(features[:, None], text[None], dim=-1)
    torch.testing.assert_close(logits, expected)


def test_a_probe_cannot_start_from_text_without_a_text_tower():
    """The error has four parts."""
    with pytest.raises(TrainError, match="cannot start from text") as caught:
        ScaledTextStart()(inputs())
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
