"""Images nearest to the vectors of a head."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from w2s_cache.errors import NeighbourError
from w2s_cache.neighbours.choice import make_index
from w2s_cache.neighbours.prototypes import class_vectors, nearest_images
from w2s_cache.neighbours.search import unit


@pytest.mark.parametrize("name", ["prototypes", "weight"])
def test_prototypes_and_weights_are_vectors_of_classes(name):
    """A prototype head's and a linear head's, whose bias is left out."""
    head = {name: np.eye(2, 5, dtype=np.float32), "bias": np.zeros(2, np.float32)}
    assert torch.equal(class_vectors(head, method="m", width=5), torch.eye(2, 5))


@pytest.mark.parametrize("head", [{}, {"context": np.zeros((4, 7))}, {"weight": np.zeros((2, 4))}])
def test_a_head_without_class_vectors_is_refused(head):
    """Nothing kept, prompts, or vectors of another space: the message says what is there."""
    with pytest.raises(NeighbourError, match="the head of tp-ce has no prototypes"):
        class_vectors(head, method="tp-ce", width=5)


def test_the_length_of_a_prototype_does_not_matter():
    """Nearness is cosine: ten times the vector has the same images."""
    base = unit(torch.randn(50, 5, generator=torch.Generator().manual_seed(0)))
    vectors = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
    found, again = (nearest_images(make_index(base), base, v, 4) for v in (vectors, 10 * vectors))
    assert torch.equal(found.rows, again.rows)
    expected = torch.cosine_similarity(vectors[:, None], base[None], dim=-1).topk(4).indices
    assert torch.equal(found.rows, expected)
