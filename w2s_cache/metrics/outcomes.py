"""Right and wrong of several methods on the same images, over all seeds of one domain.

Every seed draws its own evaluation rows from the same test set, so an image is evaluated under
several seeds. Its rows are one observation seen several times: whatever asks how far numbers would
move with other images must move an image's rows together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_cache.errors import RecordError

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outcomes:
    """What was evaluated on one domain, image by image.

    Args:
        present: (I, S) bool, whether image i is evaluated under seed s; every image under one.
        right: (I, S, M) bool, whether method m is right there; False where not present.
    """

    present: Bools
    right: Bools

    @property
    def images(self) -> int:
        """The number of different images I."""
        return len(self.present)

    @property
    def rows(self) -> int:
        """The number of evaluated rows over all seeds."""
        return int(self.present.sum())

    def accuracy(self) -> npt.NDArray[np.float64]:
        """(M,) accuracies, each the mean over seeds of the seed's own, as tables print them."""
        rows = self.present.sum(axis=0)
        per_seed = self.right.sum(axis=0) / rows[:, None]
        return np.asarray(per_seed.mean(axis=0), dtype=np.float64)


def gather_outcomes(paths: Sequence[Sequence[str]], right: Sequence[Bools]) -> Outcomes:
    """Sorts rows of several seeds by image.

    Args:
        paths: For each of S seeds the images of its N_s rows, none twice.
        right: For each seed (N_s, M) bool, whether each method is right on each row.

    Raises:
        RecordError: There is no seed or no row, a seed names an image twice, or the rows of paths
            and answers differ in number.
    """
    counts = [len(of_seed) for of_seed in paths]
    answers = [len(of_seed) for of_seed in right]
    unique = all(len(set(of_seed)) == len(of_seed) for of_seed in paths)
    if not counts or min(counts) == 0 or counts != answers or not unique:
        raise RecordError(
            "predictions cannot be sorted by image",
            expected="for each seed at least one row, each of another image, with its answers",
            found=f"{counts} rows and {answers} answers" + ("" if unique else ", images repeated"),
            fix="Give the predictions of whole runs.",
        )
    images, image = np.unique(np.concatenate([np.asarray(p) for p in paths]), return_inverse=True)
    seed = np.repeat(np.arange(len(counts)), counts)
    present = np.zeros((len(images), len(counts)), dtype=bool)
    present[image, seed] = True
    sorted_right = np.zeros((*present.shape, right[0].shape[1]), dtype=bool)
    sorted_right[image, seed] = np.concatenate(right)
    return Outcomes(present=present, right=sorted_right)
