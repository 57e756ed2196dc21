"""Histogram of AdaptConf's β before and after training (Guo et al. 2024, Fig. 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from w2s_cache.plots.style import COLOURS, entitle
from w2s_cache.train.beta import Beta

SIZE = (6.4, 2.8)

_BEFORE, _AFTER = COLOURS[5], COLOURS[1]
_BINS = np.linspace(0, 0.5, 26)


def draw_beta(figure: Any, data: Beta, *, title: str = "") -> None:
    """Left: rows on which student and weak model disagree; right: the others, whose β is ½.

    Every image weighs alike; both panels together are all fit rows.
    """
    left, right = figure.subplots(1, 2, width_ratios=(5, 1), sharey=True)
    before = _shares(data.start[~data.start_agrees], len(data.start))
    after = _shares(data.end[~data.end_agrees], len(data.end))
    left.stairs(before, _BINS, fill=True, color=_BEFORE, label="Before training")
    left.stairs(after, _BINS, color=_AFTER, linewidth=1.6, label="After training")
    agreeing = [100 * float(agrees.mean()) for agrees in (data.start_agrees, data.end_agrees)]
    bars = right.bar([0, 1], agreeing, width=0.7, color=[_BEFORE, _AFTER])
    right.bar_label(bars, fmt="%.0f %%", fontsize=8, padding=1)
    left.set_xlim(0, 0.5)
    left.set_ylim(0, 1.1 * max(*before, *after, *agreeing))
    left.set_xlabel("β, where student and weak model differ")
    left.set_ylabel("Share of fit rows (%)")
    right.set_xticks([])
    right.set_xlim(-0.7, 1.7)
    right.set_xlabel("β = ½,\nthey agree")
    right.tick_params(left=False)
    right.spines["left"].set_visible(False)
    legend = figure.legend(loc="outside right upper", title=f"{len(data.end):,} fit rows")
    legend.get_title().set_fontsize(8)
    entitle(figure, title)


def _shares(beta: npt.NDArray[np.float32], rows: int) -> npt.NDArray[np.float64]:
    """Share of all rows in every bin, percent."""
    counts, _ = np.histogram(beta, bins=_BINS)
    return 100 * counts / rows
