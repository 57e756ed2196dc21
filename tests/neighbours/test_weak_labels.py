"""Weak labels judged by their neighbours."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from w2s_cache.neighbours.search import Neighbours
from w2s_cache.neighbours.vote import agreement, vote
from w2s_cache.neighbours.weak_labels import (
    class_quality,
    image_quality,
    most_doubtful,
    weak_labels,
)

NEAR = Neighbours(
    rows=torch.tensor([[1, 2], [0, 2], [3, 0], [2, 1]]),
    cosines=torch.tensor([[0.9, 0.8], [0.9, 0.5], [0.7, 0.7], [0.6, 0.1]]),
)
WEAK = torch.tensor([0, 0, 1, 1])


def test_votes_are_weighted_by_cosine():
    """By hand: weights e^(0.9/τ) and e^(0.8/τ), normalised, times the neighbours' posteriors."""
    posteriors = torch.tensor([[1.0, 0], [0.25, 0.75], [0, 1], [0.5, 0.5]])
    one, other = math.exp(0.9 / 0.1), math.exp(0.8 / 0.1)
    share = one / (one + other)
    found = vote(NEAR, posteriors, tau=0.1)
    assert found[0].tolist() == pytest.approx([0.25 * share, 0.75 * share + 1 - share])
    assert found[2].tolist() == pytest.approx([0.75, 0.25])


def test_agreement_is_the_share_of_neighbours_with_the_same_label():
    """Each neighbour counts once, whatever its cosine."""
    assert agreement(NEAR, WEAK, WEAK).tolist() == [0.5, 0.5, 0.5, 0.5]
    assert agreement(NEAR, WEAK, 1 - WEAK).tolist() == [0.5, 0.5, 0.5, 0.5]
    assert agreement(NEAR, torch.tensor([0, 0, 0, 1]), torch.tensor([0] * 4)).tolist() == [
        1,
        1,
        0.5,
        1,
    ]


def quality():
    """Of four images in three classes, the last of which nobody has."""
    return image_quality(NEAR, WEAK, classes=3, tau=0.1)


def test_a_class_is_summed_up_over_its_weak_label():
    """Images, agreement, share that the vote keeps, and the rival that takes the rest."""
    first, second, absent = class_quality(quality(), classes=3)
    assert (first.images, first.agreement, first.kept, first.rival) == (2, 0.5, 1.0, None)
    assert (second.images, second.kept, second.rival) == (2, 0.5, 0)  # row 2: a tie
    assert (absent.images, absent.agreement, absent.kept, absent.rival) == (0, None, None, None)


def test_the_rival_is_the_class_that_takes_most():
    """A label whose neighbours all say otherwise is not kept, and who says so is named."""
    found = image_quality(NEAR, torch.tensor([0, 1, 1, 1]), classes=2, tau=0.1)
    first, _ = class_quality(found, classes=2)
    assert (first.images, first.agreement, first.kept, first.rival) == (1, 0.0, 0.0, 1)


def test_ground_truth_is_looked_at_only_when_it_is_given():
    """Without it there are no accuracies; with it they are of the images with that weak label."""
    assert all(item.weak_accuracy is None for item in class_quality(quality(), classes=3))
    first, second, absent = class_quality(quality(), classes=3, truth=np.array([0, 1, 1, 1]))
    assert (first.weak_accuracy, first.vote_accuracy) == (0.5, 0.5)
    assert (second.weak_accuracy, absent.weak_accuracy) == (1.0, None)


def test_the_most_doubtful_images_come_first():
    """By agreement, then by how strongly the others agree on another class, then by row."""
    found = image_quality(NEAR, torch.tensor([0, 1, 1, 1]), classes=2, tau=0.1)
    assert found.agreement.tolist() == [0.0, 0.5, 0.5, 1.0]
    assert most_doubtful(found).tolist() == [0, 1, 2, 3]


def test_weak_labels_are_the_classes_named():
    """The argmax of each row; the smallest class among equals."""
    assert weak_labels(torch.tensor([[0.0, 2.0, 2.0], [3.0, 1.0, 0.0]])).tolist() == [1, 0]
