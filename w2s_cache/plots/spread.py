"""Mean and sample standard deviation over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (n − 1) in percent of fractions; SD 0 for one value."""
    shares = [100 * value for value in values]
    return statistics.fmean(shares), statistics.stdev(shares) if len(shares) > 1 else 0.0


def seeds_word(seeds: Sequence[int]) -> str:
    """What a band or bar shows, for a legend or axis; empty for one seed."""
    return f"mean ± SD of {len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]}"
