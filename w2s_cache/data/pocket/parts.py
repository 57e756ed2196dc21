"""Vector parts: what a shape is made of before any style renders it.

Coordinates lie in the square from -1 to 1, x to the right, y downwards. A part is a filled polygon
or, when it has a width, a line; ellipses and smooth outlines become polygons here, so that a pose
or a trembling hand is the same arithmetic on points for every part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
XY = tuple[float, float]

SAMPLES_PER_SEGMENT = 6
_T = np.linspace(0.0, 1.0, SAMPLES_PER_SEGMENT, endpoint=False)
_CATMULL_ROM = 0.5 * np.stack(
    [-_T + 2 * _T**2 - _T**3, 2 - 5 * _T**2 + 3 * _T**3, _T + 4 * _T**2 - 3 * _T**3, _T**3 - _T**2],
    axis=1,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a drawing.

    Attributes:
        role: What the part is made of, a key of the palette, e.g. ``"wood"``.
        points: (n, 2) float64, corners in order.
        width: 0 for a filled polygon, else the width of a line through the points.
    """

    role: str
    points: Points
    width: float = 0.0


def polygon(role: str, *points: XY) -> Part:
    """A filled polygon with straight edges."""
    return Part(role, np.array(points))


def box(role: str, left: float, top: float, right: float, bottom: float) -> Part:
    """An upright rectangle."""
    return polygon(role, (left, top), (right, top), (right, bottom), (left, bottom))


def blob(role: str, *points: XY) -> Part:
    """A filled outline that runs smoothly through the points."""
    return Part(role, _smooth(np.array(points)))


def ellipse(role: str, x: float, y: float, rx: float, ry: float | None = None) -> Part:
    """A filled ellipse; a circle when only one radius is given."""
    return Part(role, _ellipse_points(x, y, rx, rx if ry is None else ry, 0.0, 1.0))


def slice_of(role: str, x: float, y: float, radius: float, start: float, stop: float) -> Part:
    """A filled sector of a circle; angles in turns, clockwise from the right."""
    rim = _ellipse_points(x, y, radius, radius, start, stop)
    return Part(role, np.concatenate([rim, [[x, y]]]))


def line(role: str, *points: XY, width: float) -> Part:
    """A line with straight pieces."""
    return Part(role, np.array(points), width)


def curve(role: str, *points: XY, width: float) -> Part:
    """A line that runs smoothly through the points."""
    corners = np.array(points)
    ends = np.concatenate(
        [2 * corners[:1] - corners[1:2], corners, 2 * corners[-1:] - corners[-2:-1]]
    )
    inner = _catmull_rom(ends[:-3], ends[1:-2], ends[2:-1], ends[3:])
    return Part(role, np.concatenate([inner, corners[-1:]]), width)


def arc(role: str, x: float, y: float, rx: float, ry: float, span: XY, *, width: float) -> Part:
    """A line along an ellipse over ``span``, in turns clockwise from the right."""
    return Part(role, _ellipse_points(x, y, rx, ry, *span), width)


def star_points(spikes: int, outer: float, inner: float, phase: float = -0.25) -> list[XY]:
    """Corners of a star round the origin, ``phase`` in turns (-0.25 points upwards)."""
    turns = 2 * np.pi * (phase + np.arange(2 * spikes) / (2 * spikes))
    radii = np.where(np.arange(2 * spikes) % 2 == 0, outer, inner)
    return [(float(r * np.cos(a)), float(r * np.sin(a))) for r, a in zip(radii, turns, strict=True)]


def both_sides(*right: XY) -> list[XY]:
    """The points and their mirror images across the vertical axis, as one closed outline."""
    return [*right, *((-x, y) for x, y in reversed(right))]


def turned(parts: Sequence[Part], turns: float) -> list[Part]:
    """The parts rotated clockwise about the origin by a number of turns."""
    cos, sin = np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)
    return mapped(parts, np.array([[cos, -sin], [sin, cos]]), (0.0, 0.0))


def moved(parts: Sequence[Part], x: float, y: float) -> list[Part]:
    """The parts shifted by (x, y)."""
    return mapped(parts, np.eye(2), (x, y))


def mapped(parts: Sequence[Part], matrix: Points, shift: XY) -> list[Part]:
    """The parts under ``matrix @ point + shift``; line widths follow the matrix's mean scale."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix))))
    return [replace(p, points=p.points @ matrix.T + shift, width=p.width * scale) for p in parts]


def _ellipse_points(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> Points:
    angles = 2 * np.pi * np.linspace(start, stop, max(6, round(28 * abs(stop - start))))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def _smooth(corners: Points) -> Points:
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
    return _catmull_rom(before, corners, after, np.roll(corners, -2, axis=0))


def _catmull_rom(p0: Points, p1: Points, p2: Points, p3: Points) -> Points:
    """Points on the Catmull-Rom segments from p1 to p2, each argument of shape (n, 2)."""
    return (_CATMULL_ROM @ np.stack([p0, p1, p2, p3], axis=1)).reshape(-1, 2)
