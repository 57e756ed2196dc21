"""Whether the numbers of an HDF5 dataset lie in its file as they are, before memory is taken."""

from __future__ import annotations

import math

import h5py


def flatness_problem(dataset: h5py.Dataset, size: int) -> str:
    """Say why a dataset is not one little-endian piece of its file; empty when it is.

    Only metadata is read, so that a claim of terabytes costs nothing.

    Args:
        dataset: An open dataset.
        size: Bytes of the file that holds it.
    """
    if dataset.external is not None or dataset.is_virtual:
        return "numbers outside the file"
    creation = dataset.id.get_create_plist()
    if creation.get_layout() != h5py.h5d.CONTIGUOUS or creation.get_nfilters():
        return "chunks, filters or another layout that is not contiguous"
    if dataset.dtype.newbyteorder("<") != dataset.dtype:
        return f"big-endian {dataset.dtype}"
    if dataset.shape is None:
        return "no numbers"
    needed = math.prod(dataset.shape) * dataset.id.get_type().get_size()
    offset = dataset.id.get_offset()
    if offset is None or offset + needed > size:
        return f"{needed} bytes of shape {dataset.shape} in a file of {size} bytes"
    return ""
