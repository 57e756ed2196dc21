"""JPEGs decoded at a fraction of their size: the same picture, the same refusals."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from w2s_cache.data import images
from w2s_cache.data.images import read_image
from w2s_cache.errors import ImageError


def scene(width=320, height=240):
    """Smooth colours that differ in all four corners."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return Image.fromarray((255 * np.stack([x, y, x * y], axis=-1)).astype(np.uint8))


def apart(one, other):
    """Mean difference of two images in levels, the larger one shrunk to the smaller."""
    small = np.asarray(one.resize(other.size, Image.Resampling.BOX), float)
    return np.abs(small - np.asarray(other, float)).mean()


@pytest.mark.parametrize(
    ("at_least", "size"),
    [
        (None, (320, 240)),
        (121, (320, 240)),
        (120, (160, 120)),
        (60, (80, 60)),
        (30, (40, 30)),
        (1, (40, 30)),
    ],
)
def test_a_jpeg_keeps_the_pixels_asked_for(tmp_path, at_least, size):
    """The smallest of 1, ½, ¼ and ⅛ whose shorter side has as many; it shows the same picture."""
    scene().save(tmp_path / "a.jpg", quality=95)
    found = read_image(tmp_path / "a.jpg", at_least=at_least)
    assert (found.mode, found.size) == ("RGB", size)
    assert apart(scene(), found) < 2


def test_odd_sides_are_rounded_up(tmp_path):
    """No row of the picture is lost."""
    scene(321, 243).save(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg", at_least=100).size == (161, 122)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_the_whole_image(tmp_path, orientation):
    """EXIF turns the small picture as it turns the large one."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    scene().save(tmp_path / "a.jpg", exif=exif, quality=95)
    whole = read_image(tmp_path / "a.jpg")
    small = read_image(tmp_path / "a.jpg", at_least=60)
    assert small.size == tuple(side // 4 for side in whole.size)
    assert apart(whole, small) < 2


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_are_converted_alike(tmp_path, mode):
    """Scaled down or not, the same colours come out."""
    scene().convert(mode).save(tmp_path / "a.jpg", quality=95)
    whole, small = (read_image(tmp_path / "a.jpg", at_least=n) for n in (None, 60))
    assert (small.mode, small.size) == ("RGB", (80, 60))
    assert apart(whole, small) < 2


@pytest.mark.parametrize("suffix", ["png", "webp", "bmp", "gif", "tiff"])
def test_other_formats_come_out_whole(tmp_path, suffix):
    """Only JPEG can be decoded small; the rest is bit for bit what it is without asking."""
    scene().save(tmp_path / f"a.{suffix}")
    whole, asked = (read_image(tmp_path / f"a.{suffix}", at_least=n) for n in (None, 30))
    assert np.array_equal(np.asarray(whole), np.asarray(asked))


@pytest.mark.parametrize("mode", ["P", "LA", "I;16"])
def test_palettes_transparency_and_16_bits_come_out_whole(tmp_path, mode):
    """Whatever only Pillow's whole decoding knows is left to it."""
    grey = scene().convert("L")
    values = np.asarray(grey).astype(np.uint16) << 8
    image = Image.fromarray(values) if mode == "I;16" else scene().convert(mode)
    image.save(tmp_path / "a.png")
    whole, asked = (read_image(tmp_path / "a.png", at_least=n) for n in (None, 30))
    assert np.array_equal(np.asarray(whole), np.asarray(asked))


def refusal(path, at_least):
    """What is said of a file that cannot be read."""
    with pytest.raises(ImageError) as caught:
        read_image(path, at_least=at_least)
    return str(caught.value)


@pytest.mark.parametrize("kept", [0, 2, 300, 0.5, 0.9])
def test_truncated_jpegs_are_refused_with_the_same_words(tmp_path, kept):
    """Scaled down, nothing is filled in either."""
    scene().save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: int(kept * len(content)) if kept < 1 else kept])
    assert refusal(tmp_path / "a.jpg", 30) == refusal(tmp_path / "a.jpg", None)


def test_limits_are_those_of_the_file_not_of_what_is_decoded(tmp_path, monkeypatch):
    """An image that is too large is refused, however small it would come out."""
    scene().save(tmp_path / "a.jpg")
    monkeypatch.setattr(images, "MAX_PIXELS", 320 * 240 - 1)
    assert refusal(tmp_path / "a.jpg", 30) == refusal(tmp_path / "a.jpg", None)


def test_a_progressive_jpeg_is_decoded_small_too(tmp_path):
    """All scans of it."""
    scene().save(tmp_path / "a.jpg", progressive=True, quality=95)
    small = read_image(tmp_path / "a.jpg", at_least=60)
    assert small.size == (80, 60)
    assert apart(scene(), small) < 2
