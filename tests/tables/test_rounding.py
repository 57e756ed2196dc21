"""Laws of rounding."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.tables.rounding import half_up

# AuxConf+TP and AdaptConf+TP of the CPL paper's Table 1; the sums of both rows end in a tie.
AUXCONF_TP = [69.20, 20.97, 68.61, 43.60, 83.92, 58.49]
ADAPTCONF_TP = [69.97, 35.96, 68.18, 47.42, 83.59, 59.95]


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (0.60845, 2, "60.85"),
        (0.57465, 2, "57.47"),
        (0.0005, 1, "0.1"),
        (-0.0005, 1, "-0.1"),
        (-0.0004, 1, "0.0"),
        (1.0, 1, "100.0"),
        (0.29, 2, "29.00"),
    ],
)
def test_ties_move_away_from_zero(value, places, expected):
    """60.845 is 60.85, where formatting gives 60.84; zero has no sign."""
    assert half_up(value, places, percent=True) == expected


@pytest.mark.parametrize(("row", "printed"), [(AUXCONF_TP, "57.47"), (ADAPTCONF_TP, "60.85")])
def test_averages_that_tie_on_paper_tie_here(row, printed):
    """Averages printed in the paper come out, although their binary sums are not exact."""
    assert half_up(math.fsum(x / 100 for x in row) / 6, 2, percent=True) == printed


def test_ratios_are_not_multiplied():
    """Without percent the number is written as it is."""
    assert half_up(1.2915, 3) == "1.292"


@given(st.integers(-(10**6), 10**6))
def test_a_number_with_few_decimals_is_kept(hundredths):
    """What has two decimals in percent is printed exactly."""
    text = half_up(hundredths / 10**4, 2, percent=True)
    assert round(float(text) * 100) == hundredths
