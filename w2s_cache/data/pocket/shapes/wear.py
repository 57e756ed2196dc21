"""Things to put on, to carry, or to show off."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.random import Generator

from w2s_cache.data.pocket.parts import (
    Part,
    arc,
    blob,
    both_sides,
    box,
    curve,
    ellipse,
    line,
    polygon,
)


def crown(rng: Generator) -> list[Part]:
    """Spikes with balls over a band."""
    spikes, w, top = int(rng.integers(3, 6)), rng.uniform(0.65, 0.8), rng.uniform(-0.75, -0.5)
    tips = [(float(x), top + 0.15 * abs(float(x))) for x in np.linspace(-w, w, spikes)]
    valleys = [((a[0] + b[0]) / 2 * 0.9, rng.uniform(-0.1, 0.1)) for a, b in pairwise(tips)]
    rim = [point for pair in zip(tips, [*valleys, (0.85 * w, 0.6)], strict=True) for point in pair]
    jewels = [ellipse("paint", x, 0.42, 0.08) for x in np.linspace(-0.5 * w, 0.5 * w, 3)]
    band = [line("gold", (-0.83 * w, 0.25), (0.83 * w, 0.25), width=0.05)]
    return [
        polygon("gold", *rim, (-0.85 * w, 0.6)),
        *band,
        *jewels,
        *(ellipse("gold", x, y, 0.09) for x, y in tips),
    ]


def diamond(rng: Generator) -> list[Part]:
    """A cut stone seen from the side, with its facets."""
    w, table, top = rng.uniform(0.65, 0.85), rng.uniform(0.35, 0.5), rng.uniform(-0.6, -0.45)
    girdle, tip = top + rng.uniform(0.25, 0.4), rng.uniform(0.65, 0.85)
    stone = polygon("gem", *both_sides((table, top), (w, girdle), (0.02, tip)))
    waist = line("ink", (-w, girdle), (w, girdle), width=0.035)
    facets = [
        line("ink", (s * table, top), (s * 0.45 * w, girdle), (0, tip), width=0.035)
        for s in (-1, 1)
    ]
    upper = [line("ink", (s * 0.45 * w, girdle), (0, top), width=0.035) for s in (-1, 1)]
    return [
        stone,
        polygon("glass", (-0.45 * w, girdle), (0.45 * w, girdle), (0, tip)),
        waist,
        *facets,
        *upper,
    ]


def eyeglasses(rng: Generator) -> list[Part]:
    """Two lenses, a bridge and temples."""
    r, gap = rng.uniform(0.3, 0.38), rng.uniform(0.08, 0.14)
    h = r * rng.uniform(0.75, 1.05)
    square, tilt = rng.random() < 0.4, rng.uniform(-0.35, -0.05)
    parts = [arc("frame", 0, 0, gap + 0.05, 0.15, (0.5, 1.0), width=0.08)]
    for s in (-1, 1):
        x = s * (gap + r)
        rim = box("frame", x - r, -h, x + r, h) if square else ellipse("frame", x, 0, r, h)
        lens = box("glass", x - r + 0.08, -h + 0.08, x + r - 0.08, h - 0.08)
        temple = line("frame", (x + s * r, -0.1), (x + s * (r + 0.08), tilt - 0.1), width=0.08)
        parts += [temple, rim, lens if square else ellipse("glass", x, 0, r - 0.08, h - 0.08)]
    return parts


def hat(rng: Generator) -> list[Part]:
    """A brim, a crown and a ribbon: from bowler to top hat to sun hat."""
    brim, w, h = rng.uniform(0.7, 0.9), rng.uniform(0.36, 0.5), rng.uniform(0.45, 1.05)
    edge = ellipse("cloth", 0, 0.45, brim, rng.uniform(0.1, 0.22))
    square = polygon("cloth", *both_sides((w * rng.uniform(0.85, 1.1), 0.45 - h), (w, 0.48)))
    round_top = blob("cloth", *both_sides((0.5 * w, 0.45 - h), (w, 0.2), (w, 0.5)))
    ribbon = polygon("paint_2", *both_sides((w, 0.25), (w, 0.46)))
    return [edge, square if rng.random() < 0.5 else round_top, ribbon]


def umbrella(rng: Generator) -> list[Part]:
    """A scalloped canopy over a hooked stick."""
    w, rise, scallops = rng.uniform(0.75, 0.92), rng.uniform(0.6, 0.8), int(rng.integers(3, 6))
    turns = np.linspace(np.pi, 2 * np.pi, 14)
    dome = [(float(w * np.cos(t)), float(rise * np.sin(t))) for t in turns]
    xs = np.linspace(w, -w, 2 * scallops + 1)[1:-1]
    hem = [(float(x), -0.12 if i % 2 == 0 else 0.0) for i, x in enumerate(xs)]
    canopy = polygon("paint", *dome, *hem)
    ribs = [
        curve("paint_2", (0, -rise), (0.6 * x, -0.6 * rise), (x, 0.0), width=0.05) for x in xs[1::2]
    ]
    hook = curve("wood", (0, -0.1), (0, 0.7), (0.08, 0.88), (0.2, 0.88), (0.26, 0.72), width=0.08)
    return [hook, line("wood", (0, -rise), (0, -rise - 0.14), width=0.06), canopy, *ribs]
