"""Clipart: flat colours inside a bold outline on a plain ground."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image

from w2s_cache.data.pocket.canvas import Canvas
from w2s_cache.data.pocket.palette import Colour, any_colour, mixed
from w2s_cache.data.pocket.parts import Part, ellipse
from w2s_cache.data.pocket.pose import Pose, posed

POSE = Pose(size=(0.6, 0.98), tilt=0.05, squeeze=0.35, shear=0.18, warp=0.05)


def clipart(parts: Sequence[Part], rng: Generator) -> Image.Image:
    """Render one drawing as clipart."""
    ground = _ground(rng)
    canvas = Canvas(ground, scale=2)
    parts = posed(parts, rng, POSE)
    if rng.random() < 0.25:
        canvas.fill(ellipse("paint", 0, 0, rng.uniform(0.7, 0.95)), any_colour(rng))
    colours = mixed((p.role for p in parts), rng, ground=ground, freedom=0.2, jitter=12)
    ink, width = rng.uniform(0, 60, size=3), float(rng.choice([0.0, 1.0, 1.5, 2.0]))
    for part in parts:
        if width and part.width:
            canvas.outline(part, ink, width / 2)
        canvas.fill(part, colours[part.role])
        if width and not part.width:
            canvas.outline(part, ink, width)
    return canvas.picture()


def _ground(rng: Generator) -> Colour:
    if rng.random() < 0.6:
        return np.full(3, 255.0)
    pale = 255 - 0.35 * (255 - any_colour(rng))
    return pale if rng.random() < 0.7 else any_colour(rng)
