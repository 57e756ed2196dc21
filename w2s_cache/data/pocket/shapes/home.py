"""The house and what stands in it."""

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
    moved,
    polygon,
    turned,
)


def book(rng: Generator) -> list[Part]:
    """Closed with a spine, or open with lines of text."""
    return _open_book(rng) if rng.random() < 0.5 else _closed_book(rng)


def _closed_book(rng: Generator) -> list[Part]:
    w, h, d = rng.uniform(0.45, 0.6), rng.uniform(0.65, 0.85), rng.uniform(0.1, 0.2)
    pages = polygon("paper", (-w, h), (w, h), (w + d, h - d), (w + d, -h - d), (w, -h))
    spine = box("paint_2", -w, -h, -w + 0.15, h)
    title = [box("gold", -0.25 * w, y, 0.6 * w, y + 0.1) for y in (-0.5 * h, -0.25 * h)]
    return [pages, box("paint", -w, -h, w, h), spine, *title[: rng.integers(0, 3)]]


def _open_book(rng: Generator) -> list[Part]:
    w, h, sag = rng.uniform(0.75, 0.9), rng.uniform(0.4, 0.55), rng.uniform(0.08, 0.2)
    cover = polygon(
        "paint", *both_sides((0, -h + 0.22), (w + 0.06, -h), (w + 0.06, h + 0.06), (0, h + 0.24))
    )
    pages = [
        blob(
            "paper",
            (0, -h + sag),
            (s * 0.1, -h),
            (s * w, -h),
            (s * w, -h),
            (s * w, h),
            (s * w, h),
            (s * 0.1, h),
            (0, h + sag),
        )
        for s in (-1, 1)
    ]
    text = [
        line("ink", (s * 0.2, y), (s * rng.uniform(0.5, 0.8) * w, y), width=0.04)
        for s in (-1, 1)
        for y in np.linspace(-0.5 * h, 0.6 * h, 3)
    ]
    return [cover, *pages, *text]


def candle(rng: Generator) -> list[Part]:
    """A wax cylinder with a flame, perhaps on a plate."""
    w, top = rng.uniform(0.15, 0.28), rng.uniform(-0.35, 0.05)
    flame = blob("fire", *both_sides((0.0, top - 0.55), (0.14, top - 0.22), (0.06, top - 0.08)))
    core = ellipse("sun", 0, top - 0.2, 0.06, 0.1)
    wick = line("ink", (0, top - 0.15), (0, top), width=0.04)
    drip = [blob("wax", (-w, top), (-0.3 * w, top + 0.02), (-0.6 * w, top + rng.uniform(0.2, 0.4)))]
    plate = [ellipse("gold", 0, 0.82, rng.uniform(0.4, 0.6), 0.12)]
    return [
        *(plate if rng.random() < 0.5 else []),
        box("wax", -w, top, w, 0.82),
        *drip,
        flame,
        core,
        wick,
    ]


def clock(rng: Generator) -> list[Part]:
    """A dial with marks and two hands, sometimes with alarm bells."""
    r, hour, minute = rng.uniform(0.65, 0.8), *rng.uniform(0, 1, size=2)
    bells = [ellipse("metal", s * 0.5 * r, -0.95 * r, 0.2) for s in (-1, 1)]
    feet = [
        line("metal", (s * 0.5 * r, 0.7 * r), (s * 0.75 * r, 1.1 * r), width=0.1) for s in (-1, 1)
    ]
    marks = [
        turned([line("ink", (0.68 * r, 0), (0.8 * r, 0), width=0.05)], i / 12)[0]
        for i in range(0, 12, int(rng.choice([1, 3])))
    ]
    hands = [
        turned([line("ink", (0, 0), (0.42 * r, 0), width=0.09)], hour)[0],
        turned([line("ink", (0, 0), (0.66 * r, 0), width=0.06)], minute)[0],
    ]
    alarm = bells + feet if rng.random() < 0.3 else []
    return [*alarm, ellipse("paint", 0, 0, r), ellipse("paper", 0, 0, 0.86 * r), *marks, *hands]


def cup(rng: Generator) -> list[Part]:
    """A bowl or mug with one handle, perhaps steaming."""
    w, h, taper = rng.uniform(0.4, 0.55), rng.uniform(0.4, 0.6), rng.uniform(0.6, 1.0)
    handle = arc(
        "paint", w * 0.95, 0.15, rng.uniform(0.22, 0.34), 0.6 * h, (-0.25, 0.25), width=0.1
    )
    body = polygon(
        "paint", (-w, 0.15 - h), (w, 0.15 - h), (taper * w, 0.15 + h), (-taper * w, 0.15 + h)
    )
    mouth = [ellipse("paper", 0, 0.15 - h, w, 0.12), ellipse("coffee", 0, 0.17 - h, 0.85 * w, 0.08)]
    steam = [
        curve("cloud", (x, -0.55), (x + 0.08, -0.7), (x - 0.06, -0.82), (x, -0.98), width=0.05)
        for x in (-0.2, 0.15)
    ]
    saucer = [ellipse("paint_2", 0, 0.2 + h, 0.8, 0.12)]
    return [
        *(saucer if rng.random() < 0.3 else []),
        handle,
        body,
        *mouth,
        *(steam if rng.random() < 0.4 else []),
    ]


def door(rng: Generator) -> list[Part]:
    """A tall leaf with panels and a knob in a frame."""
    w, top = rng.uniform(0.38, 0.52), rng.uniform(-0.95, -0.8)
    side, rows = rng.choice([-1, 1]), int(rng.integers(1, 4))
    edges = np.linspace(top + 0.1, 0.85, rows + 1)
    panels = [
        box("panel", x, a + 0.05, x + 0.62 * w, b - 0.05)
        for a, b in pairwise(edges)
        for x in (-0.78 * w, 0.14 * w)
    ]
    arch = ellipse("door", 0, top + 0.02, w, 0.14)
    knob = ellipse("gold", side * 0.82 * w, rng.uniform(0.0, 0.15), 0.07)
    frame = box("wood", -w - 0.09, top - 0.08, w + 0.09, 0.9)
    return [arch if rng.random() < 0.25 else frame, box("door", -w, top, w, 0.9), *panels, knob]


def envelope(rng: Generator) -> list[Part]:
    """A sealed or open letter."""
    w, h, fold = rng.uniform(0.7, 0.9), rng.uniform(0.42, 0.6), rng.uniform(0.0, 0.25)
    back = box("paper", -w, -h, w, h)
    folds = [line("ink", (s * w, h), (s * 0.2, 0), width=0.035) for s in (-1, 1)]
    flap = polygon("paper", (-w, -h), (0, fold), (w, -h))
    lifted = polygon("paper", (-w, -h), (0, -h - 0.42), (w, -h))
    seal = [ellipse("tomato", 0, fold - 0.05, 0.12)]
    return [
        back,
        *folds,
        lifted if rng.random() < 0.2 else flap,
        *(seal if rng.random() < 0.4 else []),
    ]


def house(rng: Generator) -> list[Part]:
    """Walls, a gable roof, a door and windows; perhaps a chimney."""
    w, eaves = rng.uniform(0.5, 0.68), rng.uniform(-0.2, 0.05)
    door_x = rng.uniform(-0.6, 0.3) * w
    chimney = [box("brick", 0.25 * w, -0.85, 0.25 * w + 0.2, eaves)]
    roof = polygon(
        "roof",
        (-w - 0.18, eaves),
        (rng.uniform(-0.1, 0.1), rng.uniform(-0.9, -0.7)),
        (w + 0.18, eaves),
    )
    front = [box("wall", -w, eaves, w, 0.85), box("wood", door_x, 0.35, door_x + 0.26, 0.85)]
    window_x = 0.35 * w if door_x < 0 else -0.8 * w
    window = [
        box("glass", window_x, eaves + 0.2, window_x + 0.3, eaves + 0.45),
        line("ink", (window_x + 0.15, eaves + 0.2), (window_x + 0.15, eaves + 0.45), width=0.03),
    ]
    return [*(chimney if rng.random() < 0.5 else []), roof, *front, *window]


def light_bulb(rng: Generator) -> list[Part]:
    """A glass pear on a screw base, standing or hanging, perhaps shining."""
    r, neck = rng.uniform(0.42, 0.55), rng.uniform(0.16, 0.22)
    glass = blob(
        "lamp",
        *both_sides((0.4 * r, -0.28 - 0.95 * r), (r, -0.28), (1.1 * neck, 0.35), (neck, 0.45)),
    )
    base = [box("metal", -neck, y, neck, y + 0.13) for y in (0.42, 0.56, 0.7)]
    wire = curve(
        "ink", (-0.08, 0.4), (-0.12, -0.1), (0, -0.25), (0.12, -0.1), (0.08, 0.4), width=0.035
    )
    rays = moved(
        [
            turned([line("sun", (0.7, 0), (0.88, 0), width=0.06)], t)[0]
            for t in np.linspace(0.5, 1, 5)
        ],
        0,
        -0.15,
    )
    shining = rays if rng.random() < 0.35 else []
    return turned([*base, glass, wire, *shining], 0.5 if rng.random() < 0.2 else 0.0)
