"""Sun, moon, weather and what the weather leaves behind."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from w2s_cache.data.pocket.parts import (
    XY,
    Part,
    arc,
    box,
    ellipse,
    line,
    polygon,
    star_points,
    turned,
)


def cloud(rng: Generator) -> list[Part]:
    """Three to five bumps, the highest near the middle, over a flat base."""
    bumps, base, w = int(rng.integers(3, 6)), rng.uniform(0.25, 0.45), rng.uniform(0.7, 0.85)
    xs = np.linspace(-w, w, bumps + 1)
    rise = rng.uniform(0.75, 1.25, size=bumps + 1) * (0.15 + 0.55 * (1 - (xs / w) ** 2))
    rim = [(-w, base)]
    for left, right, low, high in zip(xs[:-1], xs[1:], rise[:-1], rise[1:], strict=True):
        rim += _bump((left, base - low), (right, base - high), rng.uniform(0.8, 1.2))
    return [polygon("cloud", *rim, (w, base))]


def _bump(start: XY, stop: XY, height: float) -> list[XY]:
    """A half circle over the segment, bulging to its left."""
    middle, half = np.add(start, stop) / 2, np.subtract(stop, start) / 2
    across = height * np.array([half[1], -half[0]])
    return [
        (float(x), float(y))
        for t in np.linspace(np.pi, 0, 9)
        for x, y in [middle + np.cos(t) * half + np.sin(t) * across]
    ]


def moon(rng: Generator) -> list[Part]:
    """A crescent; sometimes a full disc with craters."""
    r = rng.uniform(0.65, 0.85)
    if rng.random() < 0.2:
        spots = [
            ellipse("stone", x, y, rng.uniform(0.08, 0.18))
            for x, y in rng.uniform(-0.4, 0.4, size=(4, 2))
        ]
        return [ellipse("moon", 0, 0, r), *spots]
    outer, inner = np.linspace(0.14, 0.86, 16), np.linspace(0.8, 0.2, 12)
    depth = rng.uniform(0.25, 0.7)
    rim = [(r * np.cos(6.283 * t), r * np.sin(6.283 * t)) for t in outer]
    tip = r * np.cos(6.283 * 0.14)
    hollow = [
        (tip + depth * r * (np.cos(6.283 * t) - 0.31) - 0.1, r * 0.8 * np.sin(6.283 * t))
        for t in inner
    ]
    return turned(
        [polygon("moon", *rim, *hollow)], rng.uniform(-0.12, 0.12) + rng.choice([0.0, 0.5])
    )


def snowman(rng: Generator) -> list[Part]:
    """Two or three balls of snow with a face, and perhaps a hat and arms."""
    big, small = rng.uniform(0.38, 0.48), rng.uniform(0.2, 0.27)
    middle = rng.uniform(0.26, 0.34)
    balls = [
        ellipse("snow", 0, 0.9 - big, big),
        ellipse("snow", 0, -0.05, middle),
        ellipse("snow", 0, -0.48, small),
    ]
    face = [ellipse("ink", s * 0.08, -0.53, 0.035) for s in (-1, 1)]
    face += [polygon("carrot", (0, -0.48), (rng.choice([-1, 1]) * 0.24, -0.43), (0, -0.41))]
    buttons = [ellipse("ink", 0, y, 0.045) for y in (-0.15, 0.02)]
    hat = [box("ink", -0.3, -0.72, 0.3, -0.64), box("ink", -0.18, -0.98, 0.18, -0.66)]
    arms = [
        line("wood", (s * 0.25, -0.1), (s * 0.75, rng.uniform(-0.4, 0)), width=0.06)
        for s in (-1, 1)
    ]
    extras = (hat if rng.random() < 0.6 else []) + (arms if rng.random() < 0.6 else [])
    return [*balls, *face, *buttons, *extras]


def star(rng: Generator) -> list[Part]:
    """Mostly five spikes, sometimes four or six."""
    spikes = int(rng.choice([4, 5, 5, 5, 5, 5, 6]))
    outer = rng.uniform(0.75, 0.9)
    return [polygon("gold", *star_points(spikes, outer, outer * rng.uniform(0.36, 0.52)))]


def sun(rng: Generator) -> list[Part]:
    """A disc with rays: lines, triangles or a zigzag rim."""
    rays, r = int(rng.integers(7, 13)), rng.uniform(0.35, 0.48)
    tip, kind = rng.uniform(0.75, 0.92), rng.integers(3)
    if kind == 2:
        rim = [polygon("fire", *star_points(rays, tip, r * 1.25))]
    else:
        ray = line("sun", (r + 0.1, 0), (tip, 0), width=0.08)
        spike = polygon("fire", (r + 0.05, -0.12), (tip, 0), (r + 0.05, 0.12))
        rim = [turned([spike if kind else ray], i / rays)[0] for i in range(rays)]
    smile = [
        arc("ink", 0, 0, 0.5 * r, 0.5 * r, (0.08, 0.42), width=0.05),
        *(ellipse("ink", s * 0.35 * r, -0.25 * r, 0.05) for s in (-1, 1)),
    ]
    return [*rim, ellipse("sun", 0, 0, r), *(smile if rng.random() < 0.3 else [])]
