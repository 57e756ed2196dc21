"""One image file to one RGB image, the same on every machine.

An ordinary RGB or greyscale JPEG or PNG comes out exactly as ``Image.open(path).convert("RGB")``
gives it. What that call leaves to chance or does badly is settled here:

=====================  =======================================================================
EXIF orientation       applied; EXIF that cannot be read counts as upright
transparency           composited over white (palette, greyscale and colour images alike)
16-bit greyscale       the high byte, which is what Pillow does with 16-bit colour
animation              the first frame
colour profiles        ignored, as in all reference preprocessings
broken or huge files   ImageError; nothing is filled in
changed since indexed  ImageError: what is decoded are the bytes whose digest the index has
=====================  =======================================================================
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from w2s_cache.errors import ImageError
from w2s_cache.store.regular_file import open_regular

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_RATIO",
    "Content",
    "IndexedFile",
    "decode_image",
    "read_content",
    "read_image",
]

MAX_BYTES = 1 << 30
"""Larger files are refused unread: four times the pixels of the largest image, uncompressed."""

MAX_PIXELS = 89_478_485
"""Larger images are refused: 1/4 GiB of RGB, the size from which Pillow suspects an attack."""

MAX_RATIO = 200
"""Images with a longer side of more than this many shorter ones are refused: resizing the shorter
side to an encoder's size would make the longer one that many times as long."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # none runs a program
_ORIENTATION = 0x0112  # EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BROKEN = (
    OSError,  # truncated, unidentified
    SyntaxError,  # Pillow's word for a malformed PNG or GIF
    ValueError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the index says of a file.

    Args:
        size: In bytes.
        sha256: Of all of them, in hex.
    """

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFile:
    """A file as the index knows it.

    Args:
        path: Where it is.
        content: What it held when it was indexed.
        problem: Type and message of the exception that kept it from being indexed, else None.
    """

    path: Path
    content: Content
    problem: tuple[str, str] | None = None


def read_image(path: Path, *, at_least: int | None = None) -> Image.Image:
    """Read and decode an image file.

    Args:
        path: The file.
        at_least: See :func:`decode_image`.

    Returns:
        A loaded image of mode RGB, upright.

    Raises:
        ImageError: If the file is absent, empty, truncated, no image, larger than `MAX_BYTES` or
            `MAX_PIXELS`, or longer than `MAX_RATIO`; its ``found`` is the reason.
    """
    return decode_image(path, read_content(path), at_least=at_least)


def read_content(path: Path, expected: Content | None = None) -> bytes:
    """Read the bytes of an image file, once, and compare them with what the index says.

    Raises:
        ImageError: If the file is absent, unreadable or no regular file, larger than `MAX_BYTES`,
            or not the file that was indexed.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size if expected is None else expected.size
            if size > MAX_BYTES:
                raise _refuse(path, f"{size:,} bytes", f"a file of at most {MAX_BYTES:,} bytes")
            content = file.read(size + 1)  # one more shows a file that has grown
    except OSError as error:
        raise _refuse(path, error.strerror or str(error)) from error
    if expected is not None and not (
        len(content) == size and hashlib.sha256(content).hexdigest() == expected.sha256
    ):
        raise ImageError(
            f"image {path}",
            expected="the file that was indexed",
            found="a file that changed since it was indexed",
            fix="Leave the data set alone while it is extracted, and run the command again.",
        )
    return content


def decode_image(path: Path, content: bytes, *, at_least: int | None = None) -> Image.Image:
    """Decode the bytes of an image file.

    Args:
        path: What to call it in errors.
        content: The whole file.
        at_least: A JPEG may come out at ½, ¼ or ⅛ of its size, sides rounded up, as long as its
            shorter side keeps this many pixels; None, and other formats: at its own size.

    Returns:
        A loaded image of mode RGB, upright.

    Raises:
        ImageError: If it is empty, truncated, no image, larger than `MAX_PIXELS` or longer than
            `MAX_RATIO`; its ``found`` is the reason.
    """
    if not content:
        raise _refuse(path, "an empty file")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _refuse(path, f"{image.width} x {image.height} pixels")
            if max(image.size) > MAX_RATIO * min(image.size):
                raise _refuse(path, f"sides of {image.width} and {image.height} pixels")
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            image.load()
            upright = _UPRIGHT.get(_orientation(image))
            rgb = _to_rgb(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _refuse(path, "more pixels than any photo has") from error
    except UnidentifiedImageError as error:
        raise _refuse(path, "no image of a known format") from error
    except _BROKEN as error:
        raise _refuse(path, f"{type(error).__name__}: {error}") from error
    return rgb if upright is None else rgb.transpose(upright)


def _refuse(path: Path, reason: str, expected: str = "") -> ImageError:
    plain = f"a whole image of at most {MAX_PIXELS:,} pixels, sides at most {MAX_RATIO}:1"
    return ImageError(
        f"image {path}",
        expected=expected or plain,
        found=reason,
        fix="Replace the file, or take it out of the data set.",
    )


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 (upright) where there is none or the EXIF block is broken."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (*_BROKEN, UserWarning):
        return 1
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _high_byte(image).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels, which have no agreed range")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _high_byte(image: Image.Image) -> Image.Image:
    """8-bit greyscale from 16-bit greyscale: the high byte of each value."""
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError("pixels of more than 16 bits, which have no agreed range")
    return Image.fromarray((values >> 8).astype(np.uint8))
