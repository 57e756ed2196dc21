"""One picture from a class, a domain and a seed."""

from __future__ import annotations

import numpy as np
from PIL import Image

from w2s_cache.data.pocket.shapes import SHAPES
from w2s_cache.data.pocket.styles import STYLES
from w2s_cache.errors import UnknownNameError

POCKET_VERSION = 1
CLASSES: tuple[str, ...] = tuple(sorted(SHAPES))
DOMAINS: tuple[str, ...] = tuple(sorted(STYLES))


def draw(class_name: str, domain: str, seed: int) -> Image.Image:
    """Draw one picture; the same three arguments always give the same picture.

    Args:
        class_name: One of ``CLASSES``.
        domain: One of ``DOMAINS``.
        seed: Non-negative; each seed is another pose, other proportions and other colours.

    Returns:
        An RGB image of 64×64 pixels.

    Raises:
        UnknownNameError: The class or the domain does not exist.
    """
    if class_name not in SHAPES:
        raise UnknownNameError("pocket class", class_name, CLASSES)
    if domain not in STYLES:
        raise UnknownNameError("pocket domain", domain, DOMAINS)
    key = (POCKET_VERSION, CLASSES.index(class_name), DOMAINS.index(domain), seed)
    rng = np.random.default_rng(np.random.SeedSequence(key))
    return STYLES[domain](SHAPES[class_name](rng), rng)
