"""Made the archive beside this file; see README.md. It is never made again.

Run: ``PYTHONPATH=tests python tests/archives/v1/make.py FOLDER``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from faults.extraction import CLASSES, DOMAIN, Extraction, Means, SharedCount


def main() -> None:
    """Extracts the tiny domain of the fault tests and writes down its numbers from the images."""
    target = Path(sys.argv[1])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        extraction = Extraction(folder=Path(folder), broken=False).prepare()
        extraction.run(target / "home")
        numbers = numbers_of(extraction)
    for aside in ("stats.parquet", ".writer.lock"):
        for path in (target / "home").rglob(aside):
            path.unlink()
    (target / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def numbers_of(extraction: Extraction) -> dict[str, Any]:
    """Features, logits, text and rows, computed without any store."""
    encoder, root = Means(SharedCount()), extraction.folder / "images"
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))
    pixels = [encoder.preprocess(Image.open(root / path)).flatten().tolist() for path in paths]
    imported = np.load(extraction.folder / "logits.npz")
    logits = dict(zip(imported["path"], imported["logits"].tolist(), strict=True))
    prompts = encoder.encode_text(encoder.tokenize([f"a photo of a {name}" for name in CLASSES]))
    return {
        "domain": DOMAIN,
        "classes": list(CLASSES),
        "paths": paths,
        "labels": [CLASSES.index(path.split("/")[1]) for path in paths],
        "features": pixels,
        "logits": [logits[path] for path in paths],
        "text": prompts.tolist(),
        "logit_scale": encoder.logit_scale,
    }


if __name__ == "__main__":
    main()
