"""Painting: everything, sky and ground too, is built from visible strokes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image

from w2s_cache.data.pocket.canvas import Canvas, clouds, image_of, rectangle
from w2s_cache.data.pocket.palette import any_colour, mixed
from w2s_cache.data.pocket.parts import Part
from w2s_cache.data.pocket.pose import Pose, posed

POSE = Pose(size=(0.5, 0.92), tilt=0.05, squeeze=0.35, shear=0.18, warp=0.06)
STROKES = 170


def painting(parts: Sequence[Part], rng: Generator) -> Image.Image:
    """Render one drawing as a painting."""
    canvas = _ground(rng)
    parts = posed(parts, rng, POSE)
    ground = np.asarray(canvas.image.resize((1, 1)), dtype=np.float64)[0, 0]
    light = rng.uniform(0.7, 1.1)
    colours = mixed((p.role for p in parts), rng, ground=ground, freedom=0.25, jitter=22)
    for part in parts:
        canvas.fill(part, np.clip(light * colours[part.role], 0, 255))
    _brush(canvas, rng)
    weave = 1 + 0.05 * clouds(rng, canvas.side // canvas.scale, 32)
    wash = rng.uniform(0.85, 1.1, size=3).astype(np.float32)
    return image_of(np.asarray(canvas.picture(), dtype=np.float32) * weave * wash)


def _ground(rng: Generator) -> Canvas:
    """A sky over a ground, or one mottled colour."""
    canvas = Canvas(0.5 * any_colour(rng) + 0.5 * rng.uniform(90, 220), scale=2)
    if rng.random() < 0.6:
        horizon = rng.uniform(-0.2, 0.7)
        canvas.fill(
            Part("paint", rectangle((-1, horizon), (1, 1))),
            0.7 * any_colour(rng) + rng.uniform(0, 60),
        )
    for _ in range(int(rng.integers(0, 4))):
        centre, size = rng.uniform(-1, 1, size=2), rng.uniform(0.1, 0.35, size=2)
        corners = centre + size * np.array([(-1.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, 1.0)])
        canvas.fill(Part("paint", corners), any_colour(rng))
    return canvas


def _brush(canvas: Canvas, rng: Generator) -> None:
    """Go over the canvas with short strokes that pick up the colour under their middle."""
    under = np.asarray(canvas.image)
    centres = rng.uniform(-1, 1, size=(STROKES, 2))
    angles = rng.uniform(0, np.pi) + 0.8 * rng.standard_normal(STROKES)
    halves = rng.uniform(0.04, 0.12, size=(STROKES, 1)) * np.stack(
        [np.cos(angles), np.sin(angles)], axis=1
    )
    rows, columns = ((centres[:, ::-1] + 1) * (canvas.side / 2)).astype(int).T
    colours = np.clip(under[rows, columns] + rng.normal(0, 12, size=(STROKES, 3)), 0, 255)
    widths = rng.uniform(1.0, 2.8, size=STROKES)
    canvas.dashes(centres - halves, centres + halves, colours.astype(int), widths)
