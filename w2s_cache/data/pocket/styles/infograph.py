"""Infograph: a small icon in two or three colours among headlines, text and charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image

from w2s_cache.data.pocket.canvas import Canvas, rectangle
from w2s_cache.data.pocket.palette import Colour, any_colour, luminance
from w2s_cache.data.pocket.parts import XY, Part, arc, ellipse, slice_of
from w2s_cache.data.pocket.pose import Pose, posed

POSE = Pose(size=(0.5, 0.8), tilt=0.03, squeeze=0.25, shear=0.1, warp=0.03)


def infograph(parts: Sequence[Part], rng: Generator) -> Image.Image:
    """Render one drawing as an icon on an information sheet."""
    ground = (
        255 - rng.uniform(0.05, 0.4) * (255 - any_colour(rng))
        if rng.random() < 0.75
        else any_colour(rng)
    )
    ink = np.full(3, 40.0) if luminance(ground) > 120 else np.full(3, 240.0)
    theme = [any_colour(rng), any_colour(rng), ink]
    canvas = Canvas(ground, scale=3)
    _headline(canvas, rng, ink)
    for _ in range(int(rng.integers(2, 5))):
        element = ELEMENTS[rng.integers(len(ELEMENTS))]
        element(canvas, rng, _spot(rng), theme)
    _icon(canvas, posed(parts, rng, POSE), rng, ground, theme)
    return canvas.picture()


def _icon(
    canvas: Canvas, parts: Sequence[Part], rng: Generator, ground: Colour, theme: list[Colour]
) -> None:
    """The object itself: the theme's colours dealt to its roles, perhaps on a disc."""
    corners = np.concatenate([p.points for p in parts])
    (x, y), radius = corners.mean(axis=0), 0.62 * float(np.ptp(corners, axis=0).max())
    if rng.random() < 0.6:
        ground = 255 - 0.3 * (255 - any_colour(rng))
        canvas.fill(ellipse("paint", x, y, radius), ground)
    roles = sorted({p.role for p in parts} - {"hole"})
    shades = [theme[i] for i in rng.permutation(3)]
    dealt = {role: shades[i % 3] for i, role in enumerate(roles)} | {"hole": ground}
    rim = 255.0 - 0.9 * theme[2]
    for part in parts:
        if not part.width:
            canvas.outline(part, rim, 1.0)
        canvas.fill(part, dealt[part.role])


def _spot(rng: Generator) -> XY:
    """Somewhere on the sheet for the upper left corner of an element."""
    x, y = rng.uniform(-0.9, 0.6, size=2)
    return float(x), float(y)


def _headline(canvas: Canvas, rng: Generator, ink: Colour) -> None:
    if rng.random() < 0.6:
        top = rng.uniform(-0.97, -0.9)
        _words(canvas, rng, (-0.9, top), ink, height=0.12, length=1.8)


def _text(canvas: Canvas, rng: Generator, at: XY, theme: list[Colour]) -> None:
    for row in range(int(rng.integers(2, 6))):
        _words(canvas, rng, (at[0], at[1] + 0.09 * row), theme[2], height=0.04, length=0.7)


def _words(
    canvas: Canvas,
    rng: Generator,
    at: XY,
    ink: Colour,
    *,
    height: float,
    length: float,
) -> None:
    x, y = at
    end = x + length * rng.uniform(0.6, 1.0)
    while x < end:
        word = rng.uniform(1.0, 4.0) * height
        canvas.fill(Part("ink", rectangle((x, y), (x + word, y + height))), ink)
        x += word + 0.8 * height


def _bars(canvas: Canvas, rng: Generator, at: XY, theme: list[Colour]) -> None:
    for column, height in enumerate(rng.uniform(0.1, 0.6, size=int(rng.integers(3, 6)))):
        x = at[0] + 0.12 * column
        canvas.fill(
            Part("paint", rectangle((x, at[1] + 0.6 - height), (x + 0.08, at[1] + 0.6))),
            theme[column % 2],
        )


def _pie(canvas: Canvas, rng: Generator, at: XY, theme: list[Colour]) -> None:
    (start, stop), r = np.sort(rng.uniform(0, 1, size=2)), rng.uniform(0.18, 0.3)
    canvas.fill(ellipse("paint", *at, r), theme[0])
    canvas.fill(slice_of("paint", *at, r, start, stop), theme[1])


def _graph(canvas: Canvas, rng: Generator, at: XY, theme: list[Colour]) -> None:
    heights = rng.uniform(0, 0.5, size=5)
    points = np.stack([at[0] + 0.15 * np.arange(5), at[1] + heights], axis=1)
    canvas.stroke(points, theme[0], 1.0)
    for x, y in points:
        canvas.fill(ellipse("paint", x, y, 0.035), theme[1])


def _link(canvas: Canvas, rng: Generator, at: XY, theme: list[Colour]) -> None:
    start = rng.uniform(0, 1)
    canvas.fill(
        arc("paint", *at, 0.4, 0.4, (start, start + rng.uniform(0.2, 0.6)), width=0.05), theme[0]
    )


ELEMENTS: tuple[Callable[[Canvas, Generator, XY, list[Colour]], None], ...] = (
    _text,
    _text,
    _bars,
    _pie,
    _graph,
    _link,
)
