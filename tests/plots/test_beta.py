"""Laws of the histogram of β."""

import numpy as np
import pytest

from w2s_cache.plots import draw_figure
from w2s_cache.plots.beta import SIZE, draw_beta
from w2s_cache.train.beta import Beta


def test_both_panels_together_are_all_rows():
    """Shares of rows that differ and of rows that agree add up to 100 %, before and after."""
    rng = np.random.default_rng(0)
    agrees = rng.random((2, 200)) < 0.3
    start, end = np.where(agrees, 0.5, rng.random((2, 200)) / 2).astype(np.float32)
    data = Beta(start=start, end=end, start_agrees=agrees[0], end_agrees=agrees[1])
    totals = []

    def draw(figure):
        draw_beta(figure, data)
        left, right = figure.axes
        bars = [patch.get_height() for patch in right.patches]
        histograms = [steps.get_data().values.sum() for steps in left.patches]
        totals.extend(a + b for a, b in zip(histograms, bars, strict=True))

    files = draw_figure(draw, size=SIZE)
    assert totals == pytest.approx([100, 100])
    assert draw_figure(draw, size=SIZE) == files
