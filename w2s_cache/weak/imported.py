"""Weak predictions somebody else made: a file of logits keyed by image path, put into row order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from w2s_cache.counted import counted
from w2s_cache.data.row_order import row_order
from w2s_cache.errors import WeakLogitsError
from w2s_cache.store.faint import faint_limit, faint_rows
from w2s_cache.weak.imported_files import read_predictions

_SUM_TOLERANCE = 1e-3  # probabilities written as float16 or with four digits sum to one within this


def read_weak_logits(
    file: Path,
    *,
    paths: Sequence[str],
    classes: Sequence[str],
    elsewhere: Callable[[str], bool] | None = None,
) -> np.ndarray:
    """Reads logits and puts them into row order.

    Args:
        file: A ``.parquet``, ``.csv`` or ``.npz`` file.
        paths: Relative paths of all rows of the index, in order: the file holds all of these.
        classes: Class names in label order.
        elsewhere: Whether a path is a row of another domain of the data set, whose predictions may
            stand in the same file; asked only about paths that are no row here. None: none is.

    Returns:
        (n, k) float32 logits.

    Raises:
        WeakLogitsError: Missing, unknown or repeated rows, a wrong number of classes, NaN, rows
            too small for float32, probabilities in place of logits, or a file that cannot be read.
        UnknownNameError: The file's suffix is none of the three.
    """
    refuse_absent(file)
    found, logits = read_predictions(file, classes, rows=len(paths))
    if logits.ndim != 2 or logits.shape[1] != len(classes):
        raise _refused(
            file,
            f"{len(classes)} logits per row",
            f"shape {logits.shape}",
            "Write one number per class, in the order of `w2s-cache data classes`.",
        )
    if len(found) != len(logits):
        raise _refused(
            file,
            f"{counted(len(found), 'row')}, one per path",
            f"{len(logits)}",
            "Write one row per path.",
        )
    faint = np.flatnonzero(faint_rows(logits, np.float32))
    if len(faint):
        raise _refused(
            file,
            faint_limit(np.float32),
            f"smaller ones in {len(faint)} rows, first {found[faint[0]]!r}",
            "Scale all logits by one factor.",
        )
    with np.errstate(over="ignore"):  # beyond float32 is infinity, refused below
        logits = logits.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(bad):
        raise _refused(
            file,
            "finite logits",
            f"NaN or infinity in {counted(len(bad), 'row')}, first {found[bad[0]]!r}",
            "Recompute those rows; probabilities of 0 must not be turned into log 0.",
        )
    refuse = functools.partial(_refused, file)
    ordered: np.ndarray = logits[row_order(found, paths, elsewhere=elsewhere, refuse=refuse)]
    _refuse_probabilities(file, ordered)
    return ordered


def refuse_absent(file: Path) -> None:
    """Refuses a file of logits that is not there.

    Raises:
        WeakLogitsError: It is not.
    """
    if not file.is_file():
        braces = "; of names in braces only `{domain}` is replaced" if "{" in str(file) else ""
        fix = f"Correct the path{braces}."
        raise _refused(file, "a parquet, csv or npz file", "no such file", fix)


def _refuse_probabilities(file: Path, logits: np.ndarray) -> None:
    """The softmax of probabilities is nearly uniform: every method would learn from a blur."""
    sums = logits.sum(axis=1, dtype=np.float64)
    if (logits >= 0).all() and (np.abs(sums - 1) <= _SUM_TOLERANCE).all():
        raise _refused(
            file,
            "logits, the numbers before the softmax",
            "probabilities: no number below 0, and every row sums to 1",
            "Write log-probabilities instead, e.g. log(max(p, 1e-7)).",
        )


def _refused(file: Path, expected: str, found: str, fix: str) -> WeakLogitsError:
    return WeakLogitsError(f"weak logits {file}", expected=expected, found=found, fix=fix)
