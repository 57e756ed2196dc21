"""Class prototypes and the ways they start."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s_cache.errors import TrainError
from w2s_cache.heads.protocol import StartInputs
from w2s_cache.heads.prototypes import (
    ClassMeans,
    PrototypeHead,
    RandomStart,
    TextStart,
)

HEAD = PrototypeHead()


def inputs(features, probabilities, text=None, seed=0):
    """Start inputs whose weak logits are log-probabilities, with a seeded generator."""
    return StartInputs(
        head=HEAD,
        features=features,
        weak_logits=probabilities.log(),
        text=text,
        logit_scale=None,
        generator=torch.Generator().manual_seed(seed),
    )


@given(seed=st.integers(0, 2**32), scale=st.sampled_from([1e-3, 1.0, 1e4]))
@settings(deadline=None, max_examples=40)
def test_logits_are_cosines(seed, scale):
    """Within [-1, 1], equal to the scalar product over both norms, and free of their lengths."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(5, 8, generator=generator)
    prototypes = torch.randn(3, 8, generator=generator)
    logits = HEAD.logits({"prototypes": scale * prototypes}, HEAD.prepare(features / scale))
    assert logits.abs().max() <= 1 + 1e-6
    expected = torch.cosine_similarity(features.unsqueeze(1), prototypes.unsqueeze(0), dim=-1)
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-6)


def test_own_and_opposite_direction_are_the_bounds():
    """A feature along a prototype has cosine 1, one against it −1, one across it 0."""
    features = torch.tensor([[2.0, 0], [-3, 0], [0, 5]])
    logits = HEAD.logits({"prototypes": torch.tensor([[7.0, 0]])}, HEAD.prepare(features))
    assert logits.flatten().tolist() == [1.0, -1.0, 0.0]


def test_zero_vectors_have_cosine_zero_and_finite_gradients():
    """A zero feature and a zero prototype give logits 0, not NaN, and training goes on."""
    prototypes = torch.tensor([[0.0, 0], [1, 0]], requires_grad=True)
    features = HEAD.prepare(torch.tensor([[0.0, 0], [1, 1]]))
    logits = HEAD.logits({"prototypes": prototypes}, features)
    assert logits[0].tolist() == [0.0, 0.0]
    assert logits[1, 0].item() == 0.0
    torch.log_softmax(logits, dim=-1)[:, 1].sum().backward()
    assert torch.isfinite(prototypes.grad).all()


def test_gradient_is_orthogonal_to_its_prototype():
    """The length of a prototype does not matter, so nothing pulls along it."""
    generator = torch.Generator().manual_seed(0)
    prototypes = torch.randn(3, 6, generator=generator, requires_grad=True)
    features = HEAD.prepare(torch.randn(4, 6, generator=generator))
    HEAD.logits({"prototypes": prototypes}, features).exp().sum().backward()
    along = (prototypes.grad * prototypes).sum(dim=-1)
    torch.testing.assert_close(along, torch.zeros(3), rtol=0, atol=1e-5)


def test_class_means_are_directions_of_weighted_sums():
    """C_k ∝ Σ_x p_w,k(x) f(x), the literal loop, at unit length."""
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(9, 4, generator=generator)
    probabilities = torch.softmax(torch.randn(9, 3, generator=generator), dim=-1)
    start = ClassMeans()(inputs(features, probabilities))["prototypes"]
    for k in range(3):
        total = sum(probabilities[x, k] * features[x] for x in range(9))
        torch.testing.assert_close(start[k], total / total.norm())


def test_a_class_without_weight_is_the_zero_vector():
    """Its cosine is 0 with everything."""
    probabilities = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    start = ClassMeans()(inputs(torch.ones(2, 3), probabilities))
    assert start["prototypes"][1].tolist() == [0.0, 0.0, 0.0]


def test_text_start_is_a_copy_of_the_text_features():
    """Equal values in memory of their own, so training leaves the text features alone."""
    text = torch.eye(2, 4)
    start = TextStart()(inputs(torch.ones(3, 4), torch.full((3, 2), 0.5), text))["prototypes"]
    assert torch.equal(start, text)
    start.zero_()
    assert text.sum().item() == 2.0


def test_text_start_without_a_text_tower_is_refused():
    """The error has four parts and offers the starts that need no text."""
    with pytest.raises(TrainError, match=r"cannot start from text.*Start from") as caught:
        TextStart()(inputs(torch.ones(3, 4), torch.full((3, 2), 0.5)))
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


def test_random_start_has_unit_rows_from_its_generator():
    """(k, d), unit length; equal seeds give equal bits, others do not."""
    one, same, other = (
        RandomStart()(inputs(torch.ones(3, 8), torch.full((3, 5), 0.2), seed=seed))["prototypes"]
        for seed in (0, 0, 1)
    )
    torch.testing.assert_close(one.norm(dim=-1), torch.ones(5))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
