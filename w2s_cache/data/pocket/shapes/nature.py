"""Plants, animals and landscape."""

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
    polygon,
    turned,
)


def butterfly(rng: Generator) -> list[Part]:
    """Four wings, a body and two feelers."""
    w, up, down = rng.uniform(0.65, 0.9), rng.uniform(0.6, 0.8), rng.uniform(0.45, 0.7)
    wings = [
        part
        for s in (-1, 1)
        for part in (
            blob("petal", (0, 0.05), (s * 0.55 * w, down), (s * 0.75 * w, 0.2), (s * 0.3 * w, 0)),
            blob("petal", (0, -0.05), (s * 0.5 * w, -up), (s * w, -0.75 * up), (s * 0.8 * w, 0)),
            ellipse("paint_2", s * 0.6 * w, -0.45 * up, rng.uniform(0.08, 0.17)),
        )
    ]
    feelers = [
        curve("ink", (0, -0.3), (s * 0.08, -0.55), (s * 0.22, -0.72), width=0.05) for s in (-1, 1)
    ]
    return [*wings, *feelers, ellipse("ink", 0, 0.05, 0.08, 0.42)]


def fish(rng: Generator) -> list[Part]:
    """An oval with tail, fin and eye, swimming either way."""
    length, h, fork = rng.uniform(0.5, 0.65), rng.uniform(0.28, 0.48), rng.uniform(0.25, 0.45)
    tail = polygon("petal", (0.7 * length, 0), (0.9, -fork), (0.78, 0), (0.9, fork))
    fin = polygon("petal", (-0.1, -0.8 * h), (0.2, -h - rng.uniform(0.1, 0.3)), (0.3, -0.6 * h))
    body = ellipse("paint", -0.15, 0, length + 0.1, h)
    face = [
        ellipse("paper", -0.5, -0.1, 0.1),
        ellipse("ink", -0.5, -0.1, 0.05),
        curve("ink", (-0.3, -0.6 * h), (-0.22, 0), (-0.3, 0.6 * h), width=0.05),
    ]
    return [tail, fin, body, *face]


def flower(rng: Generator) -> list[Part]:
    """Petals round a centre, on a stem with leaves."""
    petals, r = int(rng.integers(5, 9)), rng.uniform(0.16, 0.24)
    reach, start = rng.uniform(0.26, 0.36), rng.uniform(0, 1)
    crown = [
        turned([ellipse("petal", reach, 0, reach * 0.75, r * 0.8)], start + i / petals)[0]
        for i in range(petals)
    ]
    head = moved([*crown, ellipse("sun", 0, 0, r)], 0, -0.35)
    stem = curve("leaf", (0, -0.2), (rng.uniform(-0.12, 0.12), 0.4), (0, 0.95), width=0.09)
    side = rng.choice([-1, 1])
    blade = turned([ellipse("leaf", 0.28, 0, 0.28, 0.11)], rng.uniform(-0.14, -0.05))
    blade = [Part(p.role, p.points * (side, 1)) for p in blade]
    return [stem, *moved(blade, 0, 0.6), *head]


def leaf(rng: Generator) -> list[Part]:
    """A pointed blade with veins and a stalk."""
    w, belly = rng.uniform(0.32, 0.55), rng.uniform(-0.1, 0.25)
    blade = blob("leaf", *both_sides((0.02, -0.8), (0.75 * w, belly - 0.4), (w, belly), (0.1, 0.6)))
    veins = [
        line("vein", (0, y + 0.2), (s * 0.7 * w, y), width=0.04)
        for y in np.linspace(belly - 0.35, belly + 0.15, int(rng.integers(2, 4)))
        for s in (-1, 1)
    ]
    stalk = line("vein", (0, -0.6), (0, 0.95), width=0.06)
    return turned([blade, *veins, stalk], rng.uniform(-0.3, 0.3))


def mountain(rng: Generator) -> list[Part]:
    """One to three peaks with snow."""
    peaks = []
    for x in rng.permutation([-0.45, 0.1, 0.5])[: rng.integers(1, 4)]:
        top, half = rng.uniform(-0.75, -0.25), rng.uniform(0.45, 0.7)
        left, right = max(x - half, -0.98), min(x + half, 0.98)
        drop = 0.3 * (0.6 - top)
        peaks += [
            polygon("stone", (left, 0.6), (x, top), (right, 0.6)),
            polygon(
                "snow",
                (x, top),
                (x + 0.3 * (right - x), top + drop),
                (x + 0.08, top + 0.7 * drop),
                (x - 0.08, top + 1.1 * drop),
                (x + 0.3 * (left - x), top + drop),
            ),
        ]
    return peaks


def tree(rng: Generator) -> list[Part]:
    """A broad crown or a fir on a trunk."""
    w = rng.uniform(0.09, 0.15)
    trunk = polygon("wood", (-w, 0), (w, 0), (1.3 * w, 0.9), (-1.3 * w, 0.9))
    return [trunk, *(_crown(rng) if rng.random() < 0.6 else _fir(rng))]


def _crown(rng: Generator) -> list[Part]:
    turns = 2 * np.pi * np.arange(7) / 7 + rng.uniform(0, 1)
    radii = rng.uniform(0.45, 0.65, size=7)
    rim = [
        (float(r * np.cos(a)), float(0.9 * r * np.sin(a)) - 0.35)
        for r, a in zip(radii, turns, strict=True)
    ]
    fruit = [ellipse("fruit", x, y, 0.07) for x, y in ((-0.2, -0.5), (0.2, -0.3), (-0.05, -0.15))]
    return [blob("leaf", *rim), *(fruit if rng.random() < 0.25 else [])]


def _fir(rng: Generator) -> list[Part]:
    w, tiers = rng.uniform(0.4, 0.6), int(rng.integers(2, 5))
    tops = np.linspace(-0.95, -0.1, tiers + 1)
    return [
        polygon(
            "leaf",
            *both_sides((0, tops[i] - 0.05), (w * (0.5 + 0.5 * i / tiers), tops[i + 1] + 0.45)),
        )
        for i in reversed(range(tiers))
    ]
