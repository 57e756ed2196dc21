"""Cosines with class vectors, and their hand-written derivative."""

from __future__ import annotations

import torch
from torch.nn import functional

from w2s_cache.heads.cosines import cosines, cosines_and_pull


def _draw(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def test_numbers_are_products_with_normalised_vectors() -> None:
    """Values equal those of torch's normalize, and a zero vector has cosine 0."""
    features, vectors = _draw(6, 5), torch.cat([_draw(7, 5, seed=1), torch.zeros(1, 5)])
    expected = features @ functional.normalize(vectors, dim=-1).T
    torch.testing.assert_close(cosines(features, vectors), expected)
    assert torch.equal(cosines(features, vectors)[:, -1], torch.zeros(6, dtype=torch.float64))


def test_gradient_is_that_of_the_formula() -> None:
    """The hand-written derivative agrees with finite differences, for one run and for two."""
    for lead in ((), (2,)):
        features, vectors = _draw(*lead, 4, 5), _draw(*lead, 3, 5, seed=1).requires_grad_()
        assert torch.autograd.gradcheck(cosines, (features, vectors))


def test_pull_is_the_derivative_that_autograd_takes() -> None:
    """Called by hand it gives the same bits, and leaves the gradient it is given alone."""
    features, vectors = _draw(4, 5), _draw(3, 5, seed=1).requires_grad_()
    upstream = _draw(4, 3, seed=2)
    before = upstream.clone()
    (expected,) = torch.autograd.grad(cosines(features, vectors), [vectors], upstream)
    values, pull = cosines_and_pull(features, vectors.detach())
    assert torch.equal(values, cosines(features, vectors))
    assert torch.equal(pull(upstream), expected)
    assert torch.equal(upstream, before)
