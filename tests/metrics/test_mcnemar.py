"""Laws of McNemar's exact test."""

import numpy as np
import pytest

from w2s_cache.errors import TrainError
from w2s_cache.metrics import mcnemar


def discordant(first_only, second_only, both=5, neither=3):
    """Two vectors with these numbers of rows of each kind."""
    first = [True] * first_only + [False] * second_only + [True] * both + [False] * neither
    second = [False] * first_only + [True] * second_only + [True] * both + [False] * neither
    return np.array(first), np.array(second)


@pytest.mark.parametrize(
    ("first_only", "second_only", "p"),
    [
        (1, 6, 2 * (1 + 7) / 2**7),
        (6, 16, 2 * (1 + 22 + 231 + 1540 + 7315 + 26334 + 74613) / 2**22),
        (0, 3, 2 / 2**3),
        (4, 4, 1.0),
    ],
)
def test_hand_computed_tails(first_only, second_only, p):
    """Twice the binomial tail, summed by hand; (6, 16) is 0.052 in textbooks' example of it."""
    told = mcnemar(*discordant(first_only, second_only))
    assert (told.first_only, told.second_only) == (first_only, second_only)
    assert told.p == pytest.approx(p, rel=1e-12)


def test_concordant_rows_change_nothing():
    """Rows on which both are right or both wrong say nothing about which is better."""
    assert mcnemar(*discordant(2, 9, 0, 0)) == mcnemar(*discordant(2, 9, 400, 300))


def test_the_order_of_methods_only_swaps_the_counts():
    """The test is two-sided."""
    first, second = discordant(2, 9)
    one, other = mcnemar(first, second), mcnemar(second, first)
    assert (one.p, one.first_only, one.second_only) == (
        other.p,
        other.second_only,
        other.first_only,
    )


def test_identical_methods_have_p_one():
    """Without discordant rows there is nothing to test."""
    first, _ = discordant(3, 4)
    assert mcnemar(first, first).p == 1.0


@pytest.mark.parametrize("second", [np.ones(3, bool), np.ones(4, int), np.ones((4, 1), bool)])
def test_vectors_of_other_rows_are_refused(second):
    """Lengths, shapes and types must agree."""
    with pytest.raises(TrainError, match="row by row"):
        mcnemar(np.ones(4, bool), second)
