"""Histogram of AdaptConf's β before and after training (Guo et al. 2024, Fig. 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from w2s_cache.plots.style import COLOURS
from w2s_cache.train.beta import Beta

SIZE = (6.4, 2.8)

_BINS = np.linspace(0, 0.5, 26)


def draw_beta(figure: Any, data: Beta) -> None:
    """Left: rows on which student and weak model disagree; right: the others, whose β is ½.

    Every image weighs alike; both panels together are all fit rows.
    """
    left, right = figure.subplots(1, 2, width_ratios=(5, 1), sharey=True)
    moments = (
        ("Before training", data.start, data.start_agrees, COLOURS[5], True),
        ("After training", data.end, data.end_agrees, COLOURS[1], False),
    )
    for place, (label, beta, agrees, colour, filled) in enumerate(moments):
        heights = _shares(beta[~agrees], len(beta))
        look: dict[str, Any] = {"color": colour, "label": label}
        if filled:
            left.stairs(heights, _BINS, fill=True, alpha=0.55, **look)
        else:
            left.stairs(heights, _BINS, linewidth=1.6, **look)
        share = 100 * float(agrees.mean())
        alpha = 0.55 if filled else 1.0
        right.bar(place, share, width=0.7, color=colour, alpha=alpha)
        right.annotate(f"{share:.0f} %", (place, share), ha="center", va="bottom", fontsize=8)
    left.set_xlim(0, 0.5)
    left.set_xlabel("β, where student and weak model differ")
    left.set_ylabel("Share of fit rows (%)")
    right.set_xticks([])
    right.set_xlim(-0.7, 1.7)
    right.set_xlabel("β = ½,\nthey agree")
    right.grid(visible=False, axis="x")
    title = f"{len(data.end):,} fit rows"
    legend = figure.legend(
        *left.get_legend_handles_labels(), loc="outside right upper", title=title
    )
    legend.get_title().set_fontsize(8)


def _shares(beta: npt.NDArray[np.float32], rows: int) -> npt.NDArray[np.float64]:
    """Share of all rows in every bin, percent."""
    counts, _ = np.histogram(beta, bins=_BINS)
    return 100 * counts / rows
