"""Real: a lit object with a shadow before a textured, cluttered background, through a camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from w2s_cache.data.pocket.canvas import SIDE, Canvas, Pixels, clouds, image_of
from w2s_cache.data.pocket.palette import any_colour, mixed
from w2s_cache.data.pocket.parts import Part, ellipse
from w2s_cache.data.pocket.pose import Pose, posed

POSE = Pose(size=(0.5, 0.95), tilt=0.05, squeeze=0.3, shear=0.2, warp=0.03)
SCALE = 2


def real(parts: Sequence[Part], rng: Generator) -> Image.Image:
    """Render one drawing as a photograph."""
    parts = posed(parts, rng, POSE)
    scene = _background(parts, rng)
    ground = np.asarray(scene.resize((1, 1)), dtype=np.float64)[0, 0]
    canvas = Canvas(scene, scale=SCALE)
    colours = mixed((p.role for p in parts), rng, ground=ground, freedom=0.12, jitter=16)
    for part in parts:
        canvas.fill(part, colours[part.role])
        if not part.width and rng.random() < 0.7:
            canvas.outline(part, 0.7 * colours[part.role], 0.4)
    if rng.random() < 0.3:
        canvas.fill(_in_front(rng), 0.7 * any_colour(rng))
    return _camera(canvas.picture(), rng)


def _background(parts: Sequence[Part], rng: Generator) -> Image.Image:
    """Two blended colours, texture, blurred things behind, and the object's shadow."""
    near, far = (0.6 * any_colour(rng) + rng.uniform(0, 100) for _ in range(2))
    ramp = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None, None]
    coarse = rng.uniform(8, 30) * clouds(rng, SIDE, int(rng.integers(3, 9)))
    coarse = coarse + rng.uniform(0, 14) * clouds(rng, SIDE, 4, 3)
    fine = rng.uniform(0, 16) * clouds(rng, SIDE, 32)
    blend = (far + (near - far) * ramp).astype(np.float32)
    canvas = Canvas(image_of(blend + coarse + fine), scale=1)
    for _ in range(int(rng.integers(0, 5))):
        canvas.fill(_thing(rng), 0.8 * any_colour(rng))
    offset, shade = rng.uniform(0.03, 0.12, size=2), rng.uniform(20, 70, size=3)
    for part in parts:
        canvas.fill(replace(part, points=part.points + offset), shade)
    blurred = canvas.image.filter(ImageFilter.BoxBlur(float(rng.uniform(0.8, 2.5))))
    return blurred.resize((SCALE * SIDE, SCALE * SIDE), Image.Resampling.BILINEAR)


def _thing(rng: Generator) -> Part:
    """Some quadrilateral or ellipse that means nothing."""
    centre, size = rng.uniform(-1, 1, size=2), rng.uniform(0.1, 0.5, size=2)
    if rng.random() < 0.5:
        return ellipse("paint", *centre, *size)
    corners = centre + size * np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    return Part("paint", corners + rng.normal(0, 0.08, size=(4, 2)))


def _in_front(rng: Generator) -> Part:
    """A thing that covers one edge of the picture."""
    thing = _thing(rng)
    edge = rng.choice([-1.0, 1.0], size=2) * rng.permutation([0.95, 0.4])
    return replace(thing, points=0.6 * (thing.points - thing.points.mean(axis=0)) + edge)


def _camera(picture: Image.Image, rng: Generator) -> Image.Image:
    """Uneven light, exposure, white balance, a little blur and sensor noise."""
    pixels: Pixels = np.asarray(
        picture.filter(ImageFilter.BoxBlur(float(rng.uniform(0, 0.7)))), dtype=np.float32
    )
    light = 1 + 0.16 * clouds(rng, SIDE, 3)
    balance = (rng.uniform(0.65, 1.15) * rng.uniform(0.9, 1.1, size=3)).astype(np.float32)
    noise = rng.uniform(2, 10) * rng.standard_normal((SIDE, SIDE, 3), dtype=np.float32)
    return image_of(pixels * light * balance + noise)
