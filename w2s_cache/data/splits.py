"""A seeded test half for data sets that come without one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from w2s_cache.data.spelling import name_key
from w2s_cache.errors import DataError

__all__ = ["draw_test_paths"]


def draw_test_paths(
    paths: Iterable[str], *, fraction: float, seed: int, domain: str, class_name: str
) -> frozenset[str]:
    """Choose the test images of one class; drawing class by class stratifies the whole.

    The draw depends on the set of paths, the seed, the domain and the class, never on the order of
    a directory listing: sorted paths are ranked by raw PCG64 words, a stream numpy guarantees
    across versions, and the first floor(fraction · n) become test, but at least one. As the
    fraction is below 1, of two images or more at least one is left for training.

    Args:
        paths: Relative posix paths of one class.
        fraction: Share of test images, in (0, 1).
        seed: Zero or more.
        domain: Name of the domain.
        class_name: Name of the class, in any spelling.

    Raises:
        DataError: If the fraction is outside (0, 1) or the seed is negative.
    """
    if not 0.0 < fraction < 1.0 or seed < 0:
        raise DataError(
            "seeded split",
            expected="a test fraction between 0 and 1 and a seed of zero or more",
            found=f"fraction {fraction}, seed {seed}",
            fix="Correct 'test_fraction' and 'split_seed' in the spec.",
        )
    ordered = sorted(paths, key=str.encode)
    named = json.dumps([seed, name_key(domain), name_key(class_name)])
    entropy = int.from_bytes(hashlib.sha256(named.encode()).digest(), "big")
    words = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(len(ordered))
    count = max(1, int(Decimal(repr(fraction)) * len(ordered)))
    return frozenset(ordered[i] for i in np.argsort(words, kind="stable")[:count])
