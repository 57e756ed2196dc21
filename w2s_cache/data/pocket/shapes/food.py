"""Things to eat, and things that look as if one could."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from w2s_cache.data.pocket.parts import (
    Part,
    blob,
    both_sides,
    curve,
    ellipse,
    line,
    moved,
    slice_of,
    turned,
)


def apple(rng: Generator) -> list[Part]:
    """A round fruit with a dent, a stem and perhaps a leaf."""
    w, h = rng.uniform(0.55, 0.75), rng.uniform(0.55, 0.7)
    outline = both_sides((0.0, -0.7 * h), (0.55 * w, -h), (w, -0.15 * h), (0.6 * w, 0.95 * h))
    parts = [
        blob("fruit", *outline),
        curve("wood", (0, -0.6 * h), (0.05, -h), (0.15, -1.3 * h), width=0.09),
    ]
    if rng.random() < 0.7:
        parts += moved(turned([ellipse("leaf", 0.2, 0, 0.22, 0.1)], -0.07), 0.1, -h - 0.05)
    return parts


def banana(rng: Generator) -> list[Part]:
    """A yellow bow with dark tips."""
    bend, thick = rng.uniform(0.35, 0.7), rng.uniform(0.28, 0.42)
    belly, back = bend, bend - thick
    body = blob(
        "banana",
        (-0.85, -0.4),
        (-0.5, belly * 0.6),
        (0, belly),
        (0.5, belly * 0.6),
        (0.85, -0.4),
        (0.7, -0.38),
        (0.4, back * 0.5),
        (0, back),
        (-0.4, back * 0.5),
        (-0.7, -0.38),
    )
    stem = line("wood", (0.78, -0.35), (0.88, -0.62), width=0.13)
    return turned([body, stem, ellipse("ink", -0.8, -0.4, 0.06)], rng.uniform(-0.12, 0.12))


def carrot(rng: Generator) -> list[Part]:
    """A tapered root with creases and a tuft."""
    w, tip = rng.uniform(0.25, 0.38), rng.uniform(0.75, 0.95)
    root = blob(
        "carrot", (-w, -0.3), (0, -0.42), (w, -0.3), (0.5 * w, 0.3), (0, tip), (-0.5 * w, 0.3)
    )
    tuft = [
        curve("leaf", (0, -0.35), (0.5 * x, -0.6), (x, rng.uniform(-0.95, -0.75)), width=0.11)
        for x in rng.uniform(0.15, 0.35) * np.array([-1.0, 0.0, 1.0])
    ]
    creases = [
        line("ink", (s * 0.8 * w, y), (s * 0.2 * w, y + 0.04), width=0.04)
        for s, y in ((-1, -0.1), (1, 0.05), (-0.8, 0.25))
    ]
    return turned([*tuft, root, *creases], rng.uniform(-0.2, 0.2))


def lollipop(rng: Generator) -> list[Part]:
    """A disc with a swirl on a stick."""
    r = rng.uniform(0.38, 0.52)
    angles = np.linspace(0, rng.uniform(2.0, 3.2) * np.pi, 9) + rng.uniform(0, 6.28)
    radii = np.linspace(0.08, 0.9 * r, 9)
    swirl = [
        (float(a), float(b) - 0.4)
        for a, b in zip(radii * np.cos(angles), radii * np.sin(angles), strict=True)
    ]
    stick = line("paper", (0, -0.1), (0, rng.uniform(0.75, 0.95)), width=0.1)
    return [stick, ellipse("paint", 0, -0.4, r), curve("paint_2", *swirl, width=0.1)]


def mushroom(rng: Generator) -> list[Part]:
    """A cap with spots on a stalk."""
    w, h, s = rng.uniform(0.6, 0.85), rng.uniform(0.5, 0.8), rng.uniform(0.16, 0.28)
    stalk = blob("bone", *both_sides((s, -0.1), (0.9 * s, 0.3), (1.3 * s, 0.75)))
    cap = blob("cap", *both_sides((0.5 * w, -h), (w, -0.1), (0.8 * w, 0.08)))
    spots = [
        ellipse("bone", x * w, y * h, rng.uniform(0.07, 0.14), 0.08)
        for x, y in ((-0.45, -0.4), (0.05, -0.75), (0.45, -0.35))
    ]
    return [stalk, cap, *spots[: rng.integers(0, 4)]]


def pizza(rng: Generator) -> list[Part]:
    """A slice with crust and toppings, or the whole pie."""
    return _slice(rng) if rng.random() < 0.7 else _pie(rng)


def _slice(rng: Generator) -> list[Part]:
    half = rng.uniform(0.09, 0.13)
    wedge = [
        slice_of("dough", 0, -0.85, 1.65, 0.25 - half, 0.25 + half),
        slice_of("cheese", 0, -0.8, 1.4, 0.25 - half, 0.25 + half),
    ]
    disks = [
        ellipse("tomato", x + rng.uniform(-0.06, 0.06), y, rng.uniform(0.11, 0.16))
        for x, y in ((0.0, -0.25), (-0.22, 0.15), (0.25, 0.3), (0.0, 0.4))
    ]
    return turned(wedge + disks[: rng.integers(2, 5)], rng.uniform(-0.2, 0.2))


def _pie(rng: Generator) -> list[Part]:
    r = rng.uniform(0.7, 0.85)
    spokes = rng.uniform(0, 0.25) + np.arange(6) / 6
    disks = [
        turned([ellipse("tomato", rng.uniform(0.25, 0.5), 0, 0.12)], s + 0.08)[0] for s in spokes
    ]
    cuts = [
        turned([line("ink", (-0.85 * r, 0), (0.85 * r, 0), width=0.04)], s)[0] for s in spokes[:3]
    ]
    return [ellipse("dough", 0, 0, r), ellipse("cheese", 0, 0, 0.85 * r), *disks, *cuts]
