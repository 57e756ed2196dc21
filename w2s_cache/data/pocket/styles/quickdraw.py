"""Quickdraw: a few shaky black lines on white, drawn against the clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image

from w2s_cache.data.pocket.canvas import Canvas, closed
from w2s_cache.data.pocket.parts import Part, Points
from w2s_cache.data.pocket.pose import Pose, posed, trembling

POSE = Pose(size=(0.7, 0.98), tilt=0.05, squeeze=0.5, shear=0.3, warp=0.1)
WHITE, BLACK = np.full(3, 255.0), np.zeros(3)


def quickdraw(parts: Sequence[Part], rng: Generator) -> Image.Image:
    """Render one drawing as a hasty doodle: details go missing, outlines do not quite close."""
    canvas = Canvas(WHITE, scale=3)
    shake, width, haste = rng.uniform(0.012, 0.05), rng.uniform(0.8, 1.6), rng.uniform(0.0, 0.3)
    see_through = rng.random() < 0.4
    for number, part in enumerate(posed(parts, rng, POSE)):
        if number and rng.random() < haste:
            continue
        rim = part.points if part.width else closed(part.points)
        if not part.width and not see_through:
            canvas.fill(part, WHITE)
        canvas.stroke(_hasty(rim, rng, shake), BLACK, width)
    return canvas.picture()


def _hasty(rim: Points, rng: Generator, shake: float) -> Points:
    """The line as a hand in a hurry draws it: shaky, and stopping a little early."""
    drawn = trembling(rim, rng, shake)
    skipped = int(rng.integers(0, 1 + len(drawn) // 12))
    return drawn[: len(drawn) - skipped]
