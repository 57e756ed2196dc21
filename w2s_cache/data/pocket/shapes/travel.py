"""On the road and across the river."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from w2s_cache.data.pocket.parts import (
    Part,
    arc,
    blob,
    box,
    curve,
    ellipse,
    line,
    polygon,
)


def bicycle(rng: Generator) -> list[Part]:
    """Two wheels, a frame, a saddle and handlebars."""
    r, reach = rng.uniform(0.32, 0.42), rng.uniform(0.48, 0.56)
    back, front, pedal = (-reach, 0.35), (reach, 0.35), (-0.08, 0.38)
    seat, head = (-0.22, -0.2), (0.32, rng.uniform(-0.3, -0.2))
    wheels = [arc("ink", x, y, r, r, (0, 1), width=0.07) for x, y in (back, front)]
    spokes = [
        line("metal", (x - 0.7 * r, y - 0.7 * r), (x + 0.7 * r, y + 0.7 * r), width=0.03)
        for x, y in (back, front)
    ]
    frame = [
        line("paint", back, seat, head, pedal, back, width=0.075),
        line("paint", seat, pedal, width=0.075),
        line("paint", head, front, width=0.075),
    ]
    saddle = line("ink", (seat[0] - 0.14, -0.3), (seat[0] + 0.1, -0.3), width=0.1)
    bars = curve("ink", head, (0.3, -0.45), (0.45, -0.48), width=0.07)
    return [
        *(spokes if rng.random() < 0.5 else []),
        *wheels,
        *frame,
        line("metal", seat, (-0.24, -0.3), width=0.06),
        saddle,
        bars,
    ]


def bridge(rng: Generator) -> list[Part]:
    """A stone arch or a suspension bridge, over water."""
    parts = _arches(rng) if rng.random() < 0.5 else _suspension(rng)
    return [box("water", -0.95, 0.55, 0.95, 0.75), *parts]


def _arches(rng: Generator) -> list[Part]:
    count, deck = int(rng.integers(1, 4)), rng.uniform(-0.3, 0.0)
    centres = np.linspace(-0.95, 0.95, 2 * count + 1)[1::2]
    half = 0.78 * 0.95 / count
    body = box("stone", -0.95, deck, 0.95, 0.6)
    spans = [
        polygon(
            "hole",
            *(
                (x + half * np.cos(t), 0.62 + min(half, 0.5 - deck) * np.sin(t))
                for t in np.linspace(np.pi, 2 * np.pi, 10)
            ),
        )
        for x in centres
    ]
    rail = line("stone", (-0.95, deck - 0.12), (0.95, deck - 0.12), width=0.05)
    posts = [
        line("stone", (x, deck), (x, deck - 0.12), width=0.04) for x in np.linspace(-0.9, 0.9, 7)
    ]
    return [body, *spans, rail, *posts]


def _suspension(rng: Generator) -> list[Part]:
    tower, top, deck = rng.uniform(0.4, 0.6), rng.uniform(-0.8, -0.5), rng.uniform(0.15, 0.3)
    sag = deck - 0.1
    cable = curve(
        "brick",
        (-0.95, deck),
        (-tower, top),
        (-0.5 * tower, 0.6 * sag + 0.4 * top),
        (0, sag),
        (0.5 * tower, 0.6 * sag + 0.4 * top),
        (tower, top),
        (0.95, deck),
        width=0.05,
    )
    hangers = [
        line("brick", (x, sag + (top - sag) * (x / tower) ** 2), (x, deck), width=0.03)
        for x in np.linspace(-0.75 * tower, 0.75 * tower, 5)
    ]
    towers = [box("brick", x - 0.06, top, x + 0.06, 0.65) for x in (-tower, tower)]
    return [cable, *hangers, *towers, box("stone", -0.95, deck, 0.95, deck + 0.1)]


def car(rng: Generator) -> list[Part]:
    """A body, a cabin with windows and two wheels, seen from the side."""
    roof, belt, nose = rng.uniform(-0.5, -0.3), rng.uniform(-0.1, 0.05), rng.uniform(0.45, 0.7)
    rear = rng.uniform(-0.75, -0.5)
    body = blob(
        "paint",
        (-0.9, belt),
        (-0.6, belt - 0.05),
        (0.6, belt - 0.04),
        (0.92, belt + 0.15),
        (0.92, 0.4),
        (0.9, 0.42),
        (-0.9, 0.42),
        (-0.93, 0.4),
    )
    cabin = polygon("paint", (rear - 0.1, belt), (rear + 0.15, roof), (0.2, roof), (nose, belt))
    windows = [
        polygon(
            "glass",
            (rear + 0.06, belt),
            (rear + 0.2, roof + 0.08),
            (-0.14, roof + 0.08),
            (-0.14, belt),
        ),
        polygon(
            "glass", (-0.04, belt), (-0.04, roof + 0.08), (0.17, roof + 0.08), (nose - 0.16, belt)
        ),
    ]
    r = rng.uniform(0.16, 0.23)
    wheels = [
        part
        for x in (-0.52, 0.52)
        for part in (ellipse("ink", x, 0.42, r), ellipse("metal", x, 0.42, 0.5 * r))
    ]
    return [cabin, body, *windows, *wheels, ellipse("sun", 0.84, belt + 0.22, 0.07)]
