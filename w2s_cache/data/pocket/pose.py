"""Where a shape stands in the picture, and how steadily it was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from w2s_cache.data.pocket.parts import Part, Points, mapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How freely a style places its object.

    Attributes:
        size: Smallest and largest half-width, as a share of the picture's half-width.
        tilt: Standard deviation of the rotation, in turns.
        squeeze: Largest log-ratio of width to height.
        shear: Largest horizontal shear.
        warp: Amplitude of a smooth bending of the plane.
    """

    size: tuple[float, float]
    tilt: float = 0.03
    squeeze: float = 0.15
    shear: float = 0.1
    warp: float = 0.03


def posed(parts: Sequence[Part], rng: Generator, pose: Pose) -> list[Part]:
    """Bend, mirror, stretch, turn and place the parts; all of it stays (nearly) in the picture."""
    size, turn = rng.uniform(*pose.size), 2 * np.pi * rng.normal(0, pose.tilt)
    ratio = np.exp(rng.uniform(-pose.squeeze, pose.squeeze) / 2)
    mirror = rng.choice([-1.0, 1.0])
    stretch = np.array([[mirror * ratio, rng.uniform(-pose.shear, pose.shear)], [0.0, 1 / ratio]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    room = max(0.05, 1.0 - size)
    shift = rng.uniform(-room, room, size=2)
    placed = mapped(_warped(parts, rng, pose.warp), size * rotation @ stretch, (0.0, 0.0))
    return [replace(p, points=p.points + shift) for p in placed]


def trembling(points: Points, rng: Generator, amplitude: float, step: float = 0.12) -> Points:
    """The polyline resampled about every ``step`` with smooth noise of the given amplitude.

    Args:
        points: (n, 2) corners.
        rng: Source of noise.
        amplitude: Standard deviation of the noise, in units of the square.
        step: Distance between new corners.

    Returns:
        (m, 2) float64 corners, ends included.
    """
    gaps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    count = max(2, int(along[-1] / step) + 1)
    at = np.linspace(0.0, along[-1], count)
    resampled = np.stack(
        [np.interp(at, along, points[:, 0]), np.interp(at, along, points[:, 1])], axis=1
    )
    noise = rng.normal(0, amplitude, size=(count + 2, 2))
    return resampled + (noise[:-2] + 2 * noise[1:-1] + noise[2:]) / 2


def _warped(parts: Sequence[Part], rng: Generator, amplitude: float) -> list[Part]:
    waves = rng.normal(0, 2.0, size=(2, 2))
    phases = rng.uniform(0, 2 * np.pi, size=2)
    return [
        replace(p, points=p.points + amplitude * np.sin(p.points @ waves + phases)) for p in parts
    ]
