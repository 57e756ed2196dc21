"""Label propagation on the graph of nearest rows."""

import pytest
import torch

from w2s_cache.errors import TrainError
from w2s_cache.heads.discriminant import PooledDiscriminant
from w2s_cache.heads.nearest_neighbours import NearestNeighbours
from w2s_cache.heads.propagation import PropagatedDiscriminant, average_over, nearest_rows


def test_neighbours_are_the_rows_of_highest_cosine(cloud):
    """Compared with a full sort, lengths ignored, the row itself left out."""
    features = cloud(rows=25).features * torch.arange(1, 26).unsqueeze(-1)
    cosines = torch.cosine_similarity(features.unsqueeze(1), features.unsqueeze(0), dim=-1)
    cosines.fill_diagonal_(-2)
    expected = cosines.topk(4, dim=-1).indices
    assert torch.equal(nearest_rows(features, 4).sort().values, expected.sort().values)


def test_copies_of_a_row_are_neighbours_but_never_itself():
    """Even where more copies exist than neighbours are asked for."""
    nearest = nearest_rows(torch.ones(6, 3), 2)
    assert nearest.shape == (6, 2)
    assert (nearest != torch.arange(6).unsqueeze(-1)).all()


def test_a_small_domain_has_as_many_neighbours_as_other_rows(cloud):
    """Three rows have two; a single one has none and keeps its posteriors."""
    assert nearest_rows(cloud(rows=3).features, 10).shape == (3, 2)
    alone = nearest_rows(cloud(rows=1).features, 10)
    posteriors = torch.tensor([[0.25, 0.75]])
    assert torch.equal(average_over(posteriors, alone), posteriors)


def test_averages_are_literal_means():
    """Of the rows named, in exact binary fractions."""
    posteriors = torch.tensor([[1.0, 0], [0, 1], [0.5, 0.5]])
    nearest = torch.tensor([[1, 2], [0, 2], [0, 1]])
    expected = torch.tensor([[0.25, 0.75], [0.75, 0.25], [0.5, 0.5]])
    assert torch.equal(average_over(posteriors, nearest), expected)


@pytest.mark.parametrize("still", [{"rounds": 0}, {"alpha": 0.0}])
def test_without_propagation_it_is_pooled_lda(cloud, still):
    """No rounds, or no share of the neighbours."""
    inputs = cloud()
    one, two = PropagatedDiscriminant(**still)(inputs), PooledDiscriminant()(inputs)
    for name in two:
        torch.testing.assert_close(one[name], two[name])


@pytest.mark.parametrize(("option", "value"), [("neighbours", 0), ("rounds", -1), ("alpha", 2.0)])
def test_values_without_meaning_are_refused(option, value):
    """Before any run, by name."""
    with pytest.raises(TrainError, match=option):
        PropagatedDiscriminant(**{option: value})


def test_too_few_neighbours_are_refused_in_the_words_of_knn():
    """The hyper-parameter means the same in both methods, and so does its refusal."""
    said = []
    for part in (PropagatedDiscriminant, NearestNeighbours):
        with pytest.raises(TrainError) as refused:
            part(neighbours=0)
        said.append(str(refused.value))
    assert said[0] == said[1]
