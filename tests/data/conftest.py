"""Tiny data sets on disk."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def picture():
    """Write a small random RGB image, different for each seed."""

    def write(path, seed=0, size=(12, 10)):
        pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def listed(tmp_path):
    """Write files (content is their path) and the two lists of the domain ``clipart``."""

    def write(train, test, *, folder="", write_files=True):
        root = tmp_path / "root"
        (root / folder).mkdir(parents=True, exist_ok=True)
        for half, rows in (("train", train), ("test", test)):
            text = "".join(f"{row}\n" for row in rows)
            (root / folder / f"clipart_{half}.txt").write_text(text, encoding="utf-8")
        for row in [*train, *test] if write_files else []:
            path = root / row.rpartition(" ")[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(row)
        return root

    return write
