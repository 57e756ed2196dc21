"""What extraction costs beside the encoder itself.

Run: ``python benchmarks/extraction_overhead.py [--images 512]``

512 JPEGs of 500×375 pixels through ViT-B-32 (random weights: speed does not depend on them).
Numerator: files → decode → preprocess → encode → verified store on disk. Denominator: the bare
forward pass over the same images, already decoded in memory, in the same batches. Both are measured
in turn in one process; the median over the turns of their ratio counts, which a drift of the
machine's speed hardly touches. The target is a ratio of at most 1.10.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import open_clip
import torch
from indexed_files import indexed_file
from PIL import Image, ImageFilter
from safetensors.torch import save_file

from w2s_cache.data.images import read_image
from w2s_cache.encoders.device import leaves_cores_idle
from w2s_cache.encoders.openclip import OpenClipEncoder, load
from w2s_cache.extract.images import ImageJob, fill_store
from w2s_cache.extract.progress import Silent
from w2s_cache.freed_memory import keep_freed_memory

TARGET = 1.10
BATCH = 64


def main() -> None:
    """Measures both and prints one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    keep_freed_memory()  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        encoder = random_vit(root)
        paths = draw_photos(root, options.images)
        pixels = torch.stack([encoder.preprocess(read_image(path)) for path in paths])
        bare_forward(encoder, pixels[:BATCH])  # warms up, not counted
        turns = []
        for turn in range(options.turns):
            bare = bare_forward(encoder, pixels)
            whole = extraction(encoder, paths, root / f"store-{turn}", options.workers)
            turns.append((whole / bare, whole, bare))
    ratio, whole, bare = sorted(turns)[len(turns) // 2]
    shown = ", ".join(f"{each:.3f}" for each, _, _ in turns)
    print(
        f"{options.images} JPEGs, ViT-B-32: extraction {whole:.1f} s, bare forward {bare:.1f} s, "
        f"ratio {ratio:.3f} (turns: {shown})  target {TARGET}: "
        f"{'met' if ratio <= TARGET else 'MISSED'}"
    )


def random_vit(root: Path) -> OpenClipEncoder:
    """ViT-B-32 with random weights, loaded through a local checkpoint."""
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32")
    save_file({k: v.clone() for k, v in model.state_dict().items()}, root / "vit.safetensors")
    checkpoint = str(root / "vit.safetensors")
    return load("ViT-B-32", checkpoint=checkpoint, precision="fp32", device="cpu")


def draw_photos(root: Path, count: int) -> list[Path]:
    """Smooth random pictures: they compress and decode about like photographs."""
    generator = np.random.default_rng(0)
    paths = []
    for number in range(count):
        small = generator.integers(0, 256, (75, 100, 3), dtype=np.uint8)
        photo = Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC)
        path = root / f"{number:05d}.jpg"
        photo.filter(ImageFilter.GaussianBlur(1)).save(path, quality=90)
        paths.append(path)
    return paths


def bare_forward(encoder: OpenClipEncoder, pixels: torch.Tensor) -> float:
    """Seconds of the forward passes alone."""
    began = time.perf_counter()
    for batch in torch.split(pixels, BATCH):
        encoder.encode_images(batch)
    return time.perf_counter() - began


def extraction(encoder: OpenClipEncoder, paths: list[Path], store: Path, workers: int) -> float:
    """Seconds from files to a complete store."""
    job = ImageJob(
        directory=store,
        kind="image",
        key={"benchmark": "extraction"},
        names=[path.name for path in paths],
        files=[indexed_file(path) for path in paths],
        encoder=encoder,
        dtypes=dict.fromkeys(encoder.widths, "float32"),
        attributes={},
        label="benchmark",
        ahead=2 if leaves_cores_idle(encoder.device) else 0,
    )
    began = time.perf_counter()
    fill_store(job, shard_rows=8192, batch_size=BATCH, workers=workers, progress=Silent())
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
