"""Colours: what each role looks like, and how much a painter may depart from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Colour = NDArray[np.float64]

ANY = (
    "#d03a34",
    "#e58a2e",
    "#e9c83b",
    "#5fa84a",
    "#2f8f83",
    "#3d7cc9",
    "#5547a8",
    "#a64796",
    "#e58fb0",
    "#7a4a2b",
    "#59636e",
    "#c9ced3",
)

ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "banana": ("#f1d13b", "#e3c84a", "#c9c94a"),
        "bone": ("#efe5cf", "#e2d4b8", "#fbf6ea"),
        "brick": ("#b0523c", "#8f4031", "#c26a45", "#7b7f86"),
        "cap": ("#c7342b", "#b98a5a", "#8a5a3a", "#d9c4a0", "#d9792e"),
        "carrot": ("#ee8427", "#e06a1c", "#f09a45"),
        "cheese": ("#f3cf58", "#efbe46", "#f5dc86"),
        "cloth": ("#3b3f46", "#7a5a3c", "#d8c59a", "#8a2f3a", "#3b5a8a", "#9aa0a6"),
        "cloud": ("#f4f7fa", "#dfe6ec", "#b9c3cd", "#c4def2"),
        "coffee": ("#5a3a22", "#3d2716", "#a06a35"),
        "door": ("#8a5530", "#6a3d22", "#3f6b52", "#a83232", "#3c5d8a", "#e6e0d2"),
        "dough": ("#d9a35a", "#c98e48", "#e6bd7e"),
        "fire": ("#f59a23", "#f2c230", "#e8602a"),
        "frame": ("#26262a", "#5a3a22", "#8a2f3a", "#2f4a7a", "#b8923a"),
        "fruit": ("#c92f2f", "#d9463c", "#8fb53a", "#e0c04a"),
        "gem": ("#9fdcf0", "#cfeaf5", "#e79ac0", "#8fd6b0", "#b8a3ea"),
        "glass": ("#cfe6f2", "#a9cfe6", "#e3f0f5", "#7fa6bf"),
        "gold": ("#e8bf3c", "#d9a92e", "#f2d468", "#c9ccd0"),
        "ink": ("#22222a", "#2f2a2a", "#1d2733"),
        "lamp": ("#f7ec9a", "#fbf6d9", "#f2d64a", "#dfe8ee"),
        "leaf": ("#4d9a3a", "#3a7a35", "#7ab04a", "#b5a33a", "#c9702e"),
        "metal": ("#a9b1b8", "#8b949c", "#c7cdd2", "#6f7880"),
        "moon": ("#f2e6a8", "#e8e4d2", "#f5d95a", "#c9ccd6"),
        "panel": ("#75472a", "#b98a5a", "#d6cfc0", "#4a4a50"),
        "paper": ("#f7f4ea", "#ffffff", "#ece0c4", "#dfe6ec"),
        "pencil": ("#f0c52e", "#f0c52e", "#d03a34", "#3d7cc9", "#5fa84a"),
        "petal": ("#e8648c", "#f2b8c9", "#f0c52e", "#8f5bb5", "#e8772e", "#f5f2ee", "#4f7fd0"),
        "roof": ("#a8432f", "#7a3b2e", "#5c6570", "#3f6b52"),
        "rubber": ("#e79aa5", "#d97a88", "#c9ced3"),
        "snow": ("#f7fafc", "#e9f1f6", "#dbe7f0"),
        "stone": ("#8b8f94", "#73787f", "#a39a8c", "#6a7f8f"),
        "sun": ("#f5c92b", "#f2b025", "#f7dc5e"),
        "tomato": ("#c8372d", "#b32d28", "#d9553f"),
        "vein": ("#2f6128", "#e0e8b8", "#7a5a2e"),
        "wall": ("#ead9b5", "#d9c7c0", "#c9d6de", "#e5e5e0", "#c98a6a"),
        "water": ("#5a9fd0", "#3f84b5", "#7ab8c9"),
        "wax": ("#f5efdc", "#d9463c", "#e8c9d6", "#c9b8e8", "#e8d9a0"),
        "wood": ("#8a5a32", "#a8743f", "#6b4426", "#c2955a"),
        "paint": ANY,
        "paint_2": ANY,
    }
)


def rgb(code: str) -> Colour:
    """The colour of ``"#rrggbb"`` as a (3,) float64 array in [0, 255]."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def any_colour(rng: Generator) -> Colour:
    """One of the strong colours, slightly off."""
    return np.clip(rgb(ANY[rng.integers(len(ANY))]) + rng.normal(0, 10, 3), 0, 255)


def mixed(
    roles: Iterable[str], rng: Generator, *, ground: Colour, freedom: float, jitter: float
) -> dict[str, Colour]:
    """Choose a colour for every role of one drawing.

    Args:
        roles: The roles that occur; ``"hole"`` shows the ground.
        rng: Source of choices.
        ground: (3,) colour behind the drawing.
        freedom: Probability that a role gets any colour instead of its own.
        jitter: Standard deviation of the change per channel, in 0..255 units.

    Returns:
        Role → (3,) float64 colour in [0, 255].
    """
    chosen = {"hole": ground}
    for role in sorted(set(roles) - {"hole"}):
        codes = ANY if rng.random() < freedom else ROLES[role]
        base = rgb(codes[rng.integers(len(codes))])
        chosen[role] = np.clip(base + rng.normal(0, jitter, 3), 0, 255)
    return chosen


def luminance(colour: Colour) -> float:
    """Perceived brightness of a colour in [0, 255] (Rec. 601 weights)."""
    return float(colour @ (0.299, 0.587, 0.114))
