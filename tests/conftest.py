"""Settings and tiny images that all tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

settings.register_profile("w2s-cache", deadline=None)  # no test asserts a time
settings.load_profile("w2s-cache")


def colour_folders(
    root: Path, domain: str, *, per_class: int, classes: tuple[str, ...] = ("blue", "green", "red")
) -> Path:
    """Write ``<root>/<domain>/<class>/*.png``: noise of 40×36 pixels, one channel bright by class.

    Returns:
        The root.
    """
    for label, name in enumerate(classes):
        folder = root / domain / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            generator = np.random.default_rng([label, number])
            pixels = generator.integers(0, 90, (36, 40, 3), dtype=np.uint8)
            pixels[..., label % 3] += 120
            Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return root


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on several threads, the more so on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def colours() -> Callable[..., Path]:
    """The writer of small separable images in class folders."""
    return colour_folders
