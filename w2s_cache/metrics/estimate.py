"""A number with what its resamples say about it: interval and p-value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_cache.metrics.performance_gap import performance_gap_recovered

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
_ZERO = 1e-12  # sums of fractions; far below one image in any data set


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A difference with its percentile interval and its two-sided p-value.

    Args:
        value: The number on the images as they are.
        low: Lower end of the interval.
        high: Upper end.
        p: How often resampling undoes the sign, twice the rarer side, in (0, 1].
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, kw_only=True, slots=True)
class GapEstimate:
    """A performance gap recovered with its interval.

    Args:
        value: The share, None where the ceiling is not above the weak model.
        low: Lower end of the interval over resamples that have a gap, None where there is none.
        high: Upper end.
        gapless: Number of resamples whose ceiling is not above the weak model; they are left out.
    """

    value: float | None
    low: float | None
    high: float | None
    gapless: int


def estimate_difference(value: float, resampled: Floats) -> Estimate:
    """Interval and p-value of a difference.

    Args:
        value: The difference on the images as they are.
        resampled: (B,) the difference in each resample.

    Returns:
        Percentile interval of level :data:`LEVEL`; p = 2 · min(#{d ≤ 0} + 1, #{d ≥ 0} + 1)/(B + 1),
        at most 1 (Davison & Hinkley 1997, "Bootstrap methods", §4.2 for the + 1).
    """
    low, high = _percentiles(resampled)
    below = int(np.count_nonzero(resampled <= _ZERO))
    above = int(np.count_nonzero(resampled >= -_ZERO))
    p = 2 * (min(below, above) + 1) / (len(resampled) + 1)
    return Estimate(value=value, low=low, high=high, p=min(1.0, p))


def estimate_gap(observed: tuple[float, float, float], resampled: Floats) -> GapEstimate:
    """Interval of the performance gap recovered.

    Args:
        observed: Accuracy of method, weak model and ceiling on the images as they are.
        resampled: (B, 3) the same in each resample.
    """
    method, weak, ceiling = resampled.T
    gap = ceiling - weak
    has_gap = gap > _ZERO
    value = performance_gap_recovered(*observed)
    gapless = len(gap) - int(has_gap.sum())
    if value is None or not has_gap.any():
        return GapEstimate(value=value, low=None, high=None, gapless=gapless)
    low, high = _percentiles((method - weak)[has_gap] / gap[has_gap])
    return GapEstimate(value=value, low=low, high=high, gapless=gapless)


def _percentiles(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
