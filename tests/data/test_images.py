"""One file to one RGB image."""

import io
import os
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from w2s_cache.data import images
from w2s_cache.data.images import read_image
from w2s_cache.errors import ImageError

NOISE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def pixels(path):
    """Decoded pixels, (H, W, 3) uint8."""
    image = read_image(path)
    assert image.mode == "RGB"
    return np.asarray(image)


def refused(path):
    """The reason, after a look at the four parts."""
    with pytest.raises(ImageError) as caught:
        read_image(path)
    error = caught.value
    assert str(path) in str(error)
    assert all((error.what, error.expected, error.found, error.fix))
    return error.found


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "Real World ü.jpg"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_ordinary_images_are_what_pillow_makes_of_them(tmp_path, name, mode):
    """RGB and greyscale files: identical to Image.open(path).convert("RGB")."""
    path = tmp_path / name
    Image.fromarray(NOISE).convert(mode).save(path)
    assert np.array_equal(pixels(path), np.asarray(Image.open(path).convert("RGB")))


def test_real_images_are_what_pillow_makes_of_them():
    """Real JPEG and PNG files: identical to Image.open(path).convert("RGB")."""
    root = Path(
        os.environ.get("W2S_TEST_IMAGES", Path(__file__).parents[3] / "shared/data/pacs_mini")
    )
    if not root.is_dir():
        pytest.skip("no real images: set W2S_TEST_IMAGES to a folder with PACS")
    paths = sorted(root.glob("*/*/*"))[::100]
    assert paths
    for path in paths:
        assert np.array_equal(pixels(path), np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    """However a camera stored it, the picture comes out as it was seen."""
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(undo[orientation](NOISE))
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "a.png"), NOISE)


def test_broken_exif_counts_as_upright(tmp_path):
    """Junk where the EXIF block should be loses the orientation, not the image."""
    Image.fromarray(NOISE).save(tmp_path / "a.png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff junk")
    assert np.array_equal(pixels(tmp_path / "a.png"), NOISE)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_over_white(tmp_path, mode):
    """Clear pixels are white, whatever colour hides in them; opaque ones keep theirs."""
    image = Image.fromarray(NOISE).convert(mode)
    alpha = np.zeros(NOISE.shape[:2], np.uint8)
    alpha[:, 15:] = 255
    image.putalpha(Image.fromarray(alpha))
    image.save(tmp_path / "a.png")
    found = pixels(tmp_path / "a.png")
    assert (found[:, :15] == 255).all()
    opaque = np.asarray(Image.fromarray(NOISE).convert(mode).convert("RGB"))
    assert np.array_equal(found[:, 15:], opaque[:, 15:])


def test_palette_with_transparency_lies_over_white(tmp_path):
    """One transparent palette entry: its pixels are white, the others their palette colour."""
    image = Image.new("P", (4, 2), 0)
    image.putpalette([10, 20, 30, 200, 100, 50] + [0] * 750)
    image.paste(1, (2, 0, 4, 2))
    image.save(tmp_path / "a.png", transparency=0)
    image.save(tmp_path / "b.png", transparency=bytes([0, 255]))
    for name in ("a.png", "b.png"):
        found = pixels(tmp_path / name)
        assert (found[:, :2] == 255).all()
        assert (found[:, 2:] == [200, 100, 50]).all()


def test_colour_key_transparency_lies_over_white(tmp_path):
    """A PNG of mode RGB may declare one colour as clear."""
    Image.new("RGB", (3, 3), (1, 2, 3)).save(tmp_path / "a.png", transparency=(1, 2, 3))
    assert (pixels(tmp_path / "a.png") == 255).all()


@pytest.mark.parametrize("mode", ["P", "1", "CMYK"])
def test_other_modes_are_converted_as_pillow_does(tmp_path, mode):
    """Palette, bilevel and CMYK files have one RGB meaning."""
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.fromarray(NOISE).convert(mode).save(path)
    assert np.array_equal(pixels(path), np.asarray(Image.open(path).convert("RGB")))


def test_16_bit_greyscale_keeps_its_high_byte(tmp_path):
    """0x1234 becomes 0x12; nothing is clipped to white as a plain convert would."""
    values = np.array([[0, 0x00FF, 0x1234, 0x8000, 0xFFFF]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    expected = np.array([0, 0, 0x12, 0x80, 0xFF], np.uint8)
    assert np.array_equal(pixels(tmp_path / "a.png")[0, :, 1], expected)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((2, 2), 70000, np.int32), "more than 16 bits"),
        (np.full((2, 2), 0.5, np.float32), "floating-point"),
    ],
)
def test_pixels_without_an_agreed_range_are_refused(tmp_path, values, said):
    """32-bit integers and floats cannot be scaled to 8 bit without guessing."""
    Image.fromarray(values).save(tmp_path / "a.tiff")
    assert said in refused(tmp_path / "a.tiff")


def test_animation_is_its_first_frame(tmp_path):
    """A moving GIF is as good as its first picture."""
    red, blue = Image.new("RGB", (5, 5), "red"), Image.new("RGB", (5, 5), "blue")
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])
    assert (pixels(tmp_path / "a.gif") == [255, 0, 0]).all()


def encoded(suffix):
    """The bytes of a whole image file."""
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, suffix)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", ["jpeg", "png", "bmp", "webp", "gif"])
def test_truncated_files_are_refused(tmp_path, suffix):
    """Half a file is no image: no grey remainder is made up."""
    content = encoded(suffix)
    (tmp_path / "a").write_bytes(content[: len(content) // 2])
    assert refused(tmp_path / "a")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"<html>404 Not Found</html>", "no image of a known format"),
        (b"\xff\xd8\xff\xe0", ""),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image of a known format"),
    ],
)
def test_files_that_are_no_image_are_refused(tmp_path, content, said):
    """Empty files, error pages, bare headers, and formats that would run a program."""
    (tmp_path / "a.jpg").write_bytes(content)
    assert said in refused(tmp_path / "a.jpg")


def test_absent_files_and_folders_are_refused(tmp_path):
    """What cannot be opened is an ImageError like any other."""
    assert "No such file" in refused(tmp_path / "a.jpg")
    assert "not a regular file" in refused(tmp_path)


@pytest.mark.parametrize("side", [10_000, 60_000])
@pytest.mark.parametrize("action", ["ignore", "error"])
def test_decompression_bombs_are_refused(tmp_path, side, action):
    """A few bytes that claim a huge picture are refused, where Pillow warns and where it raises."""
    (tmp_path / "bomb.ppm").write_bytes(f"P6 {side} {side} 255\n".encode())
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        assert "pixels" in refused(tmp_path / "bomb.ppm")


def test_the_pixel_limit_is_exact_and_does_not_depend_on_warning_filters(tmp_path, monkeypatch):
    """One pixel above the limit is refused, the limit itself is not, warnings on or off."""
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    monkeypatch.setattr(images, "MAX_PIXELS", 600)
    pixels(tmp_path / "a.png")
    monkeypatch.setattr(images, "MAX_PIXELS", 599)
    for action in ("ignore", "error"):
        with warnings.catch_warnings():
            warnings.simplefilter(action)
            assert "30 x 20 pixels" in refused(tmp_path / "a.png")


def test_pillow_globals_stay_as_they_are(tmp_path):
    """Nothing here tells Pillow to tolerate truncated images or to drop its pixel limit."""
    before = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
    Image.fromarray(NOISE).save(tmp_path / "a.png")
    pixels(tmp_path / "a.png")
    assert before == (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
    assert before[0] is False


@pytest.mark.parametrize("suffix", ["jpeg", "png", "gif", "bmp", "webp"])
@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_decode_or_are_refused(tmp_path, suffix):
    """Whatever bytes change in a file: an RGB image or an ImageError, never anything else."""
    rng, whole = random.Random(0), encoded(suffix)
    outcomes = set()
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(rng.choice((1, 4, 16))):
            content[rng.randrange(rng.choice((60, len(content))))] = rng.randrange(256)
        (tmp_path / "a").write_bytes(content)
        try:
            outcomes.add(read_image(tmp_path / "a").mode)
        except ImageError:
            outcomes.add("refused")
    assert "refused" in outcomes
    assert outcomes <= {"RGB", "refused"}


@pytest.mark.parametrize("size", [(1, 3_000), (3_000, 1), (10, 2_001)])
def test_a_strip_is_refused(tmp_path, size):
    """Resized by its shorter side it would fill the memory; the reason is its sides."""
    Image.new("RGB", size).save(tmp_path / "strip.png")
    assert refused(tmp_path / "strip.png") == f"sides of {size[0]} and {size[1]} pixels"


def test_a_long_image_is_read(tmp_path):
    """Two hundred to one is still an image."""
    Image.new("RGB", (10, 2_000)).save(tmp_path / "long.png")
    assert pixels(tmp_path / "long.png").shape == (2_000, 10, 3)


def test_a_file_that_is_too_large_is_told_the_size_of_files(tmp_path, monkeypatch):
    """The limit that is named is the one that was crossed: bytes, not pixels."""
    (tmp_path / "a.png").write_bytes(bytes(11))
    monkeypatch.setattr(images, "MAX_BYTES", 10)
    with pytest.raises(ImageError, match="expected a file of at most 10 bytes, found 11 bytes"):
        images.read_image(tmp_path / "a.png")
