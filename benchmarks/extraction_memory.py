"""Whether extraction's memory grows with the number of images.

Run: ``python benchmarks/extraction_memory.py``

Peak resident memory of a fresh process that extracts N pocket-sized JPEGs with pocket CLIP, for
N = 1,000 and N = 10,000. The target is a difference of at most 200 MB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from indexed_files import indexed_file
from PIL import Image

from w2s_cache.encoders.openclip import load
from w2s_cache.extract.images import ImageJob, fill_store
from w2s_cache.extract.progress import Silent
from w2s_cache.freed_memory import keep_freed_memory

TARGET_MB = 200


def main() -> None:
    """Runs both sizes in processes of their own and prints one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", type=int, help="extract this many images, print peak MB")
    options = parser.parse_args()
    if options.measure:
        print(measure(options.measure))
        return
    few, many = (peak_in_subprocess(count) for count in (1_000, 10_000))
    verdict = "met" if many - few <= TARGET_MB else "MISSED"
    print(
        f"peak memory of extraction: {few:.0f} MB at 1,000 images, {many:.0f} MB at 10,000, "
        f"difference {many - few:.0f} MB  target {TARGET_MB} MB: {verdict}"
    )


def peak_in_subprocess(count: int) -> float:
    """Peak resident memory in MB of a process that extracts ``count`` images."""
    command = [sys.executable, __file__, "--measure", str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(count: int) -> float:
    """Extracts ``count`` images here; returns this process's peak resident memory in MB."""
    keep_freed_memory()  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        paths = [root / f"{number:05d}.jpg" for number in range(count)]
        for number, path in enumerate(paths):
            Image.new("RGB", (256, 256), (number % 256, number // 256, 90)).save(path)
        encoder = load("pocket-clip", checkpoint=None, precision="fp32", device="cpu")
        job = ImageJob(
            directory=root / "store",
            kind="image",
            key={"benchmark": "memory"},
            names=[path.name for path in paths],
            files=[indexed_file(path) for path in paths],
            encoder=encoder,
            dtypes=dict.fromkeys(encoder.widths, "float32"),
            attributes={},
            label="benchmark",
        )
        fill_store(job, shard_rows=8192, batch_size=256, workers=2, progress=Silent())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
