"""How all figures look: few colours, told apart by everyone, and nothing that is not data."""

from __future__ import annotations

from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe & Ito 2008, "Color universal design": distinct for every kind of colour vision."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""So that a print in grey still tells series apart."""

GREY, BLACK = "#666666", "#000000"

SETTINGS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "errorbar.capsize": 2,
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",  # comes with matplotlib, so figures look alike everywhere
    "font.size": 9,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "savefig.dpi": 200,
    "svg.hashsalt": "w2s-cache",  # names inside an SVG follow from its content, not from chance
    "xtick.color": GREY,
    "xtick.labelcolor": BLACK,
    "xtick.labelsize": 8,
    "ytick.color": GREY,
    "ytick.labelcolor": BLACK,
    "ytick.labelsize": 8,
}


def entitle(figure: Any, title: str) -> None:
    """Says above a figure what it is of, at its left; nothing without a title."""
    if title:
        figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=9, fontweight="bold")


def series_style(number: int) -> dict[str, Any]:
    """Colour and marker of the series of this number, from 0; more than six repeat colours."""
    shift = number // len(COLOURS)
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[(number + shift) % len(MARKERS)],
    }
