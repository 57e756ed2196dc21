"""Pixels: parts drawn on a Pillow image that is larger than the picture, then reduced."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from w2s_cache.data.pocket.palette import Colour
from w2s_cache.data.pocket.parts import XY, Part, Points

SIDE = 64
Pixels = NDArray[np.float32]


class Canvas:
    """A square image of ``scale * SIDE`` pixels addressed in the units of the shapes.

    Args:
        ground: (3,) background colour, or an image of the right size to draw on.
        scale: Supersampling factor.
    """

    def __init__(self, ground: Colour | Image.Image, scale: int = 2) -> None:
        self.scale, self.side = scale, scale * SIDE
        self.image = (
            ground
            if isinstance(ground, Image.Image)
            else Image.new("RGB", (self.side, self.side), _ink(ground))
        )
        self.pen = ImageDraw.Draw(self.image)

    def fill(self, part: Part, colour: Colour) -> None:
        """Paint a part: the inside of a polygon, or the stroke of a line at its own width."""
        flat = self._flat(part.points)
        if part.width:
            self.pen.line(flat, fill=_ink(colour), width=self._wide(part.width), joint="curve")
        else:
            self.pen.polygon(flat, fill=_ink(colour))

    def stroke(self, points: Points, colour: Colour, width: float) -> None:
        """Draw a line through the points, ``width`` in pixels of the final picture."""
        self.pen.line(
            self._flat(points),
            fill=_ink(colour),
            width=max(1, round(width * self.scale)),
            joint="curve",
        )

    def outline(self, part: Part, colour: Colour, width: float) -> None:
        """Draw the rim of a part, ``width`` in pixels of the picture; before ``fill`` for lines."""
        if part.width:
            grown = self._wide(part.width) + round(2 * width * self.scale)
            self.pen.line(self._flat(part.points), fill=_ink(colour), width=grown, joint="curve")
        else:
            self.stroke(closed(part.points), colour, width)

    def dashes(
        self, starts: Points, ends: Points, colours: NDArray[np.int64], widths: Points
    ) -> None:
        """Draw many straight strokes at once.

        Args:
            starts: (n, 2) first points.
            ends: (n, 2) last points.
            colours: (n, 3) integers in 0..255.
            widths: (n,) in pixels of the final picture.
        """
        flat = ((np.concatenate([starts, ends], axis=1) + 1) * (self.side / 2)).tolist()
        wide = np.maximum(1, np.round(widths * self.scale)).astype(int).tolist()
        for ends_of_one, colour, width in zip(flat, colours.tolist(), wide, strict=True):
            self.pen.line(ends_of_one, fill=tuple(colour), width=width)

    def picture(self) -> Image.Image:
        """The canvas reduced to the final size by averaging."""
        return self.image.reduce(self.scale)

    def _flat(self, points: Points) -> list[float]:
        flat: list[float] = ((points + 1) * (self.side / 2)).ravel().tolist()
        return flat

    def _wide(self, width: float) -> int:
        return max(1, round(width * self.side / 2))


def closed(points: Points) -> Points:
    """The outline with its first point repeated at the end."""
    return np.concatenate([points, points[:1]])


def rectangle(corner: XY, opposite: XY) -> Points:
    """(4, 2) corners of an upright rectangle."""
    (left, top), (right, bottom) = corner, opposite
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def clouds(rng: Generator, side: int, cells: int, channels: int = 1) -> Pixels:
    """Smooth noise of unit variance per cell, shape (side, side, channels), float32."""
    coarse = rng.standard_normal((channels, cells, cells), dtype=np.float32)
    planes = [
        np.asarray(Image.fromarray(c).resize((side, side), Image.Resampling.BICUBIC))
        for c in coarse
    ]
    return np.stack(planes, axis=-1)


def image_of(pixels: Pixels) -> Image.Image:
    """An RGB image from float pixels in [0, 255], shape (side, side, 3)."""
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _ink(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = colour.astype(int).tolist()
    return red, green, blue
