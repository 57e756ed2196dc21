"""Things with a handle; all of them may lie at any angle."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from w2s_cache.data.pocket.parts import (
    Part,
    blob,
    box,
    ellipse,
    line,
    polygon,
    turned,
)


def axe(rng: Generator) -> list[Part]:
    """A flaring blade on one side of a handle."""
    top, reach, flare = rng.uniform(-0.8, -0.7), rng.uniform(0.45, 0.65), rng.uniform(0.25, 0.4)
    handle = box("wood", -0.07, -0.9, 0.07, rng.uniform(0.8, 0.95))
    blade = blob(
        "metal",
        (-0.12, top),
        (0.15, top + 0.02),
        (reach, top - 0.15),
        (reach + 0.08, top + 0.2),
        (reach, top + flare + 0.3),
        (0.15, top + 0.33),
        (-0.12, top + 0.33),
    )
    return _lying(rng, [handle, blade])


def hammer(rng: Generator) -> list[Part]:
    """A block with a claw across a handle."""
    h, reach = rng.uniform(0.24, 0.34), rng.uniform(0.35, 0.5)
    handle = box("wood", -0.08, -0.6, 0.08, rng.uniform(0.75, 0.95))
    head = box("metal", -reach, -0.85, 0.2, -0.85 + h)
    claw = polygon(
        "metal", (0.2, -0.85), (0.45, -0.83), (0.68, -0.6), (0.42, -0.68), (0.2, -0.85 + h)
    )
    sledge = box("metal", 0.18, -0.85, reach, -0.85 + h)
    return _lying(rng, [handle, head, claw if rng.random() < 0.6 else sledge])


def key(rng: Generator) -> list[Part]:
    """A ring, a shaft and teeth."""
    r, teeth = rng.uniform(0.24, 0.34), int(rng.integers(2, 4))
    shaft = box("gold", -0.06, -0.5, 0.06, 0.9)
    bits = [
        box("gold", 0.05, y, rng.uniform(0.22, 0.34), y + 0.1) for y in np.linspace(0.5, 0.8, teeth)
    ]
    return _lying(
        rng, [shaft, *bits, ellipse("gold", 0, -0.58, r), ellipse("hole", 0, -0.58, 0.5 * r)]
    )


def ladder(rng: Generator) -> list[Part]:
    """Two rails and rungs, leaning a little."""
    bottom, top = rng.uniform(0.28, 0.42), rng.uniform(0.2, 0.3)
    rails = [line("wood", (s * bottom, 0.9), (s * top, -0.9), width=0.11) for s in (-1, 1)]
    rungs = [
        line("wood", (-w, y), (w, y), width=0.09)
        for y in np.linspace(-0.7, 0.7, int(rng.integers(4, 7)))
        for w in [top + (bottom - top) * (y + 0.9) / 1.8]
    ]
    return turned([*rungs, *rails], rng.uniform(-0.12, 0.12))


def pencil(rng: Generator) -> list[Part]:
    """A shaft with a sharpened tip, a ferrule and an eraser."""
    w, shoulder = rng.uniform(0.12, 0.2), rng.uniform(0.45, 0.6)
    cone = polygon("dough", (-w, shoulder), (w, shoulder), (0, 0.95))
    lead = polygon("ink", (-0.3 * w, 0.83), (0.3 * w, 0.83), (0, 0.95))
    shaft = [
        box("pencil", -w, -0.65, w, shoulder),
        line("ink", (0.3 * w, -0.6), (0.3 * w, shoulder), width=0.03),
    ]
    end = [box("metal", -w, -0.75, w, -0.62), box("rubber", -w, -0.93, w, -0.75)]
    return _lying(rng, [cone, lead, *shaft, *end])


def scissors(rng: Generator) -> list[Part]:
    """Two crossed blades with finger rings."""
    opening, r = rng.uniform(0.03, 0.09), rng.uniform(0.18, 0.26)
    halves = []
    for s in (-1, 1):
        half = [
            polygon("metal", (-0.07, 0.25), (0.07, 0.25), (0.05 * s, -0.92)),
            line("paint", (0, 0.1), (0.12 * s, 0.5), width=0.13),
            ellipse("paint", 0.14 * s, 0.65, r),
            ellipse("hole", 0.14 * s, 0.65, 0.55 * r),
        ]
        halves += turned(half, -s * opening)
    return _lying(rng, [*halves, ellipse("ink", 0, 0.1, 0.05)])


def sword(rng: Generator) -> list[Part]:
    """A long blade, a guard, a grip and a pommel."""
    w, guard = rng.uniform(0.07, 0.14), rng.uniform(0.28, 0.42)
    blade = polygon("metal", (-w, 0.45), (-w, -0.7), (0, -0.95), (w, -0.7), (w, 0.45))
    ridge = line("stone", (0, -0.7), (0, 0.4), width=0.04)
    grip = box("wood", -0.07, 0.45, 0.07, 0.85)
    cross = box("gold", -guard, 0.4, guard, 0.5)
    return _lying(rng, [blade, ridge, grip, cross, ellipse("gold", 0, 0.88, 0.1)])


def _lying(rng: Generator, parts: list[Part]) -> list[Part]:
    """Mostly tilted a little, now and then at any angle."""
    tilt = rng.uniform(0, 1) if rng.random() < 0.35 else rng.normal(0, 0.1)
    return turned(parts, tilt)
