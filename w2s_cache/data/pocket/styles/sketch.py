"""Sketch: pencil outlines gone over twice, and hatching that is denser where the object is dark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image

from w2s_cache.data.pocket.canvas import Canvas, Pixels, closed, clouds, image_of
from w2s_cache.data.pocket.palette import luminance, mixed
from w2s_cache.data.pocket.parts import Part
from w2s_cache.data.pocket.pose import Pose, posed, trembling

POSE = Pose(size=(0.6, 0.95), tilt=0.05, squeeze=0.35, shear=0.18, warp=0.05)
SCALE = 2


def sketch(parts: Sequence[Part], rng: Generator) -> Image.Image:
    """Render one drawing in pencil on paper."""
    paper = rng.uniform(215, 255) + rng.normal(0, 4, size=3)
    canvas = Canvas(np.full(3, 255.0), scale=SCALE)
    parts = posed(parts, rng, POSE)
    tones = {
        role: np.full(3, luminance(c))
        for role, c in mixed(
            (p.role for p in parts), rng, ground=np.full(3, 255.0), freedom=0.2, jitter=20
        ).items()
    }
    for part in parts:
        canvas.fill(part, tones[part.role])
    tone = np.asarray(canvas.image, dtype=np.float32)[..., :1]
    drawing = Canvas(image_of(_hatched(tone, rng) * paper.astype(np.float32)), scale=SCALE)
    lead, shake, passes = rng.uniform(30, 130), rng.uniform(0.008, 0.02), int(rng.integers(1, 3))
    for part in parts:
        rim = part.points if part.width else closed(part.points)
        for _ in range(passes):
            shade = np.full(3, float(np.clip(lead + rng.normal(0, 20), 0, 200)))
            drawing.stroke(trembling(rim, rng, shake), shade, rng.uniform(0.5, 1.0))
    grain = rng.normal(0, 4, size=(drawing.side // SCALE, drawing.side // SCALE, 1))
    return image_of(np.asarray(drawing.picture(), dtype=np.float32) + grain.astype(np.float32))


def _hatched(tone: Pixels, rng: Generator) -> Pixels:
    """Share of paper left white, (side, side, 1) in [0, 1], from tones in [0, 255]."""
    side = tone.shape[0]
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(3.0, 6.0)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    sway = 1.5 * clouds(rng, side, 5)[..., 0]
    across = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y + sway
    wave = np.sin(across * np.float32(2 * np.pi / pitch))
    darkness = 1 - tone[..., 0] / 255
    hatched = wave < 2.2 * darkness * rng.uniform(0.5, 1.0) - 1
    white: Pixels = np.where(hatched, np.float32(1 - rng.uniform(0.25, 0.6)), np.float32(1))
    return white[..., None]
