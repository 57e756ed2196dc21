"""Some rows of an index through an image encoder: decoded ahead, encoded batch by batch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np

from w2s_cache.data.decode import Failure, decode_ahead
from w2s_cache.data.images import IndexedFile
from w2s_cache.encoders.protocol import ImageEncoder

Encoded = tuple[int, dict[str, np.ndarray], tuple[Failure, ...]]
"""Position of a batch among the rows asked for, its arrays (B, width) by name, its failures."""


def encode_rows(
    encoder: ImageEncoder,
    files: Sequence[IndexedFile],
    *,
    batch_size: int,
    workers: int,
    ahead: int,
) -> Generator[Encoded, None, None]:
    """Yields the batches of some images in order; the first batch begins at the first path.

    The arguments are those of :func:`~w2s_cache.data.decode.decode_ahead`.
    """
    means = {"batch_size": batch_size, "workers": workers, "ahead": ahead}
    with closing(
        decode_ahead(files, encoder.preprocess, **means)
    ) as batches:  # an interrupt stops the threads now, not when its traceback is forgotten
        for batch in batches:
            encoded = encoder.encode_images(batch.pixels)
            yield batch.start, {n: t.numpy() for n, t in encoded.items()}, batch.failures
