"""Laws of the performance gap recovered."""

import pytest

from w2s_cache.metrics import performance_gap_recovered


@pytest.mark.parametrize(
    ("method", "weak", "ceiling", "expected"),
    [
        (0.7310, 0.6715, 0.7427, 0.836),
        (0.4614, 0.3171, 0.5084, 0.754),
        (0.7180, 0.6790, 0.7224, 0.899),
        (0.4796, 0.4670, 0.4992, 0.391),
        (0.8541, 0.8510, 0.8534, 1.292),
        (0.6401, 0.5226, 0.6664, 0.817),
    ],
)
def test_numbers_of_the_domainnet_table(method, weak, ceiling, expected):
    """Weak, ceiling and CPL as printed in the CPL paper's Table 1; shares by hand from them."""
    assert performance_gap_recovered(method, weak, ceiling) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("ceiling", [0.6, 0.5])
def test_no_gap_gives_no_number(ceiling):
    """Where the ceiling is not above the weak model there is nothing to recover."""
    assert performance_gap_recovered(0.7, 0.6, ceiling) is None


def test_values_outside_the_unit_interval_are_kept():
    """A method worse than its supervisor has a negative share."""
    assert performance_gap_recovered(0.25, 0.5, 0.75) == -1
