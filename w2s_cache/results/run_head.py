"""The trained arrays of a run as the bytes of a safetensors file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def head_bytes(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Lays arrays out as a safetensors file in memory, inverse of :func:`parse_head`."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def parse_head(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """Reads arrays by name from the bytes of a safetensors file.

    Raises:
        ValueError: It is none, or holds numbers of a type that numpy does not have.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(content))
    except (SafetensorError, LookupError, TypeError) as error:
        raise ValueError(f"no arrays: {type(error).__name__}: {error}") from error
