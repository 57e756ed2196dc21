"""McNemar's exact test: do two methods err equally often on the same rows?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_cache.errors import TrainError


@dataclass(frozen=True, kw_only=True, slots=True)
class McNemar:
    """The rows on which exactly one of two methods is right.

    Args:
        first_only: Rows that only the first answers rightly.
        second_only: Rows that only the second answers rightly.
        p: Two-sided exact p-value; 1 where no row tells the methods apart.
    """

    first_only: int
    second_only: int
    p: float


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> McNemar:
    """Exact test of one run against another on the same rows (McNemar 1947).

    Given b + c discordant rows, b is Binomial(b + c, ½) if neither method is better. It holds for
    independent rows, so within one run; rows of several seeds repeat images, and their counts
    must not be added for this test.

    Args:
        first: Whether the first method is right, (N,) bool.
        second: Whether the second is right on the same rows, (N,) bool.

    Raises:
        TrainError: The vectors do not speak of the same rows.
    """
    from scipy.stats import binomtest

    boolean = all(vector.ndim == 1 and vector.dtype == np.bool_ for vector in (first, second))
    if not boolean or first.shape != second.shape:
        raise TrainError(
            "right and wrong cannot be compared row by row",
            expected="two boolean vectors of one length",
            found=f"{first.dtype} {first.shape} and {second.dtype} {second.shape}",
            fix="Give what both methods answer on the same rows.",
        )
    first_only = int(np.count_nonzero(first & ~second))
    second_only = int(np.count_nonzero(second & ~first))
    discordant = first_only + second_only
    p = float(binomtest(first_only, discordant, 0.5).pvalue) if discordant else 1.0
    return McNemar(first_only=first_only, second_only=second_only, p=p)
