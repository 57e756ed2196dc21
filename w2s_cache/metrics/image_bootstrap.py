"""Cluster bootstrap over images: how far accuracies would move with other test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_cache.metrics.outcomes import Outcomes

Floats = npt.NDArray[np.float64]

_DRAWS = 1 << 18  # images drawn at once: a few MB, which fit the processor's cache


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Resampled:
    """B resamples of D domains for M methods.

    Args:
        accuracy: (B, D, M), the mean over seeds of each seed's accuracy, fractions.
        right: (B, D, M), the number of rows answered rightly over all seeds.
    """

    accuracy: Floats
    right: Floats


def resample_images(
    domains: Sequence[Outcomes], *, resamples: int, generator: np.random.Generator
) -> Resampled:
    """Draws each domain's images anew, with replacement, as many as there are.

    An image takes the rows of all its seeds and of all methods along: methods stay paired, and
    rows that share an image are not taken for independent ones. Domains are drawn apart, and are
    themselves fixed, as are the seeds. A seed none of whose images was drawn is left out of that
    resample's mean.

    Args:
        domains: Outcomes of the same methods in the same order.
        resamples: B, the number of resamples.
        generator: Source of every draw.
    """
    drawn = [_one_domain(domain, resamples, generator) for domain in domains]
    return Resampled(
        accuracy=np.stack([accuracy for accuracy, _ in drawn], axis=1),
        right=np.stack([right for _, right in drawn], axis=1),
    )


def _one_domain(
    domain: Outcomes, resamples: int, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """(B, M) accuracies and numbers of right rows."""
    images, seeds, methods = domain.right.shape
    # integers below 2^24, so that float32 sums are exact in any order
    columns = np.concatenate([domain.present, domain.right.reshape(images, -1)], axis=1)
    table = columns.astype(np.float32)
    size = max(1, _DRAWS // images)
    sums = np.concatenate(
        [
            _drawn_counts(images, min(size, resamples - begin), generator) @ table
            for begin in range(0, resamples, size)
        ]
    ).astype(np.float64)
    rows = sums[:, :seeds, None]
    right = sums[:, seeds:].reshape(resamples, seeds, methods)
    shares = np.divide(right, rows, out=np.zeros_like(right), where=rows > 0)
    accuracy = shares.sum(axis=1) / (rows > 0).sum(axis=1)
    return accuracy, right.sum(axis=1)


def _drawn_counts(
    images: int, resamples: int, generator: np.random.Generator
) -> npt.NDArray[np.float32]:
    """(resamples, images): how often each image is drawn; every line sums to ``images``."""
    drawn = generator.integers(0, images, size=(resamples, images))
    drawn += np.arange(resamples)[:, None] * images
    counts = np.bincount(drawn.ravel(), minlength=resamples * images)
    return counts.reshape(resamples, images).astype(np.float32)
