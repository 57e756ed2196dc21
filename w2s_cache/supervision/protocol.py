"""The paper's split of one domain: who trains on what, and what is kept for the last number.

    D_train ──────────────────────────────── the weak model
    D_test ──┬─ D_hold 80 % ──┬─ fit 80 %    the strong model, weak labels only
             │                └─ val 20 %    selection, weak labels only
             └─ D'_test 20 %                 evaluation

The paper prints the sizes of D_train and D_test only (its Table 2) and no rounding rule; here every
cut is the floor of the exact product.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from w2s_cache.counted import counted
from w2s_cache.errors import TrainError

__all__ = ["Split", "protocol_split"]

Rows = npt.NDArray[np.int64]

_STREAM = 0x5F1D  # keeps this draw apart from other draws of the same seed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Row numbers of one domain, each array ascending int64.

    Args:
        weak_train: D_train, what the weak model saw with its labels.
        fit: The strong model's training rows.
        val: The rows selection may look at.
        test: D'_test, the rows no model and no selection has seen.
        full_test: D_test = fit + val + test, the paper's literal evaluation rows.
    """

    weak_train: Rows
    fit: Rows
    val: Rows
    test: Rows
    full_test: Rows


def protocol_split(
    is_train: npt.NDArray[np.bool_],
    *,
    seed: int,
    hold_fraction: float = 0.8,
    fit_fraction: float = 0.8,
) -> Split:
    """Cut D_test into fit, val and D'_test by one seeded permutation.

    The permutation sorts raw PCG64 words, whose stream numpy guarantees across versions.

    Args:
        is_train: (N,) bool, the official split.
        seed: Zero or more; equal seeds give equal splits.
        hold_fraction: Share of D_test that becomes D_hold, in (0, 1).
        fit_fraction: Share of D_hold that becomes fit, in (0, 1).

    Raises:
        TrainError: If the seed is negative, a fraction is outside (0, 1), or a part would be empty.
    """
    _check_arguments(seed, hold_fraction, fit_fraction)
    full_test = np.flatnonzero(~np.asarray(is_train, dtype=np.bool_)).astype(np.int64)
    hold = _floor_share(hold_fraction, len(full_test))
    fit = _floor_share(fit_fraction, hold)
    sizes = {"fit": fit, "val": hold - fit, "test": len(full_test) - hold}
    if min(sizes.values()) < 1:
        raise TrainError(
            "split of the official test half",
            expected="at least one row in each of fit, val and test",
            found=f"{counted(len(full_test), 'test row')}, cut into {sizes}",
            fix="Use a domain with more test images, or other fractions.",
        )
    words = np.random.PCG64(np.random.SeedSequence([_STREAM, seed])).random_raw(len(full_test))
    shuffled = full_test[np.argsort(words, kind="stable")]
    return Split(
        weak_train=np.flatnonzero(is_train).astype(np.int64),
        fit=np.sort(shuffled[:fit]),
        val=np.sort(shuffled[fit:hold]),
        test=np.sort(shuffled[hold:]),
        full_test=full_test,
    )


def _floor_share(fraction: float, count: int) -> int:
    """Floor of the decimal product: 0.29 · 100 is 29 here, though 28.999… in binary floats."""
    return int(Decimal(repr(fraction)) * count)


def _check_arguments(seed: int, *fractions: float) -> None:
    if seed < 0:
        raise TrainError(
            "split seed", expected="zero or more", found=str(seed), fix="Choose another seed."
        )
    for fraction in fractions:
        if not 0.0 < fraction < 1.0:
            raise TrainError(
                "split fraction",
                expected="a number between 0 and 1, both excluded",
                found=repr(fraction),
                fix="Use the paper's 0.8, or another share.",
            )
