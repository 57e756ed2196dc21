"""How much faster the fast decoder turns JPEGs into pixels than open_clip's own transform.

Run: ``python benchmarks/decode_speed.py [--images 24] [--repeats 20]``

JPEG files (quality 85, chroma halved as cameras do) through the preprocessing of ViT-B-32, 224
pixels, on one thread: file → decoded → resized → cropped → normalised. ``pillow`` is open_clip's
own transform, ``fast`` is decoder = "fast". Both take turns file by file and the best time of each
file counts. The pictures are drawn: soft shapes under fine grain, about 1.6 bits a pixel. The
target, three times as fast, is for 900×700 pixels; 500×375 are too small to be decoded at half
their size.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import open_clip
import torch
from in_turn import best_in_turn
from PIL import Image

from w2s_cache.data.images import read_image
from w2s_cache.encoders.fast_pixels import FastPixels
from w2s_cache.encoders.pixel_recipe import open_clip_recipe

TARGET = 3.0
SIZES = {(900, 700): TARGET, (500, 375): None, (2000, 1500): None}


def main() -> None:
    """Measures every size and prints one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = open_clip.transform.PreprocessCfg(size=224)
    slow = open_clip.transform.image_transform_v2(config, is_train=False)
    fast = FastPixels(open_clip_recipe(vars(config)))
    with tempfile.TemporaryDirectory() as folder:
        for (width, height), target in SIZES.items():
            paths = draw_photos(Path(folder), options.images, width, height)
            own, ours = measure(paths, slow, fast, options.repeats)
            size = sum(path.stat().st_size for path in paths) / len(paths) / 1e3
            verdict = "" if target is None else f"  target {target:g}: {met(own / ours, target)}"
            print(
                f"{width}×{height}, {size:.0f} kB: pillow {1e3 * own:.2f} ms  "
                f"fast {1e3 * ours:.2f} ms  {own / ours:.2f} times faster{verdict}"
            )


def met(ratio: float, target: float) -> str:
    """Whether a ratio reaches its target."""
    return "met" if ratio >= target else "MISSED"


def measure(paths: list[Path], slow: object, fast: FastPixels, repeats: int) -> tuple[float, float]:
    """Mean over the files of the best seconds of each: open_clip's transform, the fast one."""
    times = [
        best_in_turn(
            lambda path=path: slow(read_image(path)),
            lambda path=path: fast(read_image(path, at_least=fast.at_least)),
            repeats=repeats,
        )
        for path in paths
    ]
    own, ours = np.mean(times, axis=0)
    return float(own), float(ours)


def draw_photos(root: Path, count: int, width: int, height: int) -> list[Path]:
    """Soft random shapes with a fine grain; they compress and decode about like photographs."""
    generator = np.random.default_rng(0)
    paths = []
    for number in range(count):
        small = generator.integers(0, 256, (height // 14, width // 14, 3), dtype=np.uint8)
        soft = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        grain = generator.normal(0, 2, (height, width, 1))
        levels = (np.asarray(soft) + grain).clip(0, 255).astype(np.uint8)
        path = root / f"{width}-{number:05d}.jpg"
        Image.fromarray(levels).save(path, quality=85)
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
