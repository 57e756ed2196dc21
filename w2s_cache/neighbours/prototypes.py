"""The images nearest to each class vector of a trained head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from w2s_cache.errors import NeighbourError
from w2s_cache.neighbours.candidates import Candidates
from w2s_cache.neighbours.search import Neighbours, nearest, unit

_NAMES = ("prototypes", "weight")  # of prototype heads, of linear ones


def class_vectors(head: Mapping[str, npt.NDArray[Any]], *, method: str, width: int) -> Tensor:
    """One vector per class of a stored head, (k, d) float32.

    They are the prototypes of a prototype head and the rows of a linear head's weight, whose bias
    is left out.

    Args:
        head: Its arrays by name.
        method: What it was trained by, for messages.
        width: Width d of the features.

    Raises:
        NeighbourError: The head has no vector per class in the space of the features.
    """
    for name in _NAMES:
        vectors = head.get(name)
        if vectors is not None and vectors.ndim == 2 and vectors.shape[1] == width:
            return torch.from_numpy(np.asarray(vectors, dtype=np.float32))
    shapes = ", ".join(f"{name} {array.shape}" for name, array in sorted(head.items()))
    raise NeighbourError(
        f"the head of {method} has no prototypes",
        expected=f"prototypes or weight with rows of {width} numbers",
        found=shapes or "a run that keeps no head",
        fix="Choose a method with prototypes or a linear head, such as cpl or pooled-lda.",
    )


def nearest_images(index: Candidates, base: Tensor, vectors: Tensor, count: int) -> Neighbours:
    """The ``count`` rows of highest cosine with each class vector (k, d); ties by row number."""
    return nearest(index, base, unit(vectors), count)
