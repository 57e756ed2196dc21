"""Rows of features on their way out: unit length where asked, then the storage type."""

from __future__ import annotations

import numpy as np

from w2s_cache.errors import ExportError
from w2s_cache.interchange.options import ExportOptions
from w2s_cache.store.faint import faint_limit, faint_rows

_SMALLEST = 1e-12  # torch.nn.functional.normalize's own: a zero row stays zero


def exported_features(rows: np.ndarray, options: ExportOptions, *, of: str) -> np.ndarray:
    """Features as they are exported.

    Args:
        rows: (..., d) float32.
        options: Whether they are normalised, and their type.
        of: What they are features of, for messages.

    Raises:
        ExportError: A number is beyond the range of float16, or a row too small for it.
    """
    if options.normalize:
        length = np.linalg.norm(rows, axis=-1, keepdims=True)
        rows = rows / np.maximum(length, _SMALLEST)
    with np.errstate(over="ignore"):
        stored = rows.astype(options.dtype)
    if not np.isfinite(stored).all():
        limit = f"magnitudes up to {np.finfo(options.dtype).max:g}"
        raise _refused(options, of, limit, f"{np.abs(rows).max():g}")
    if faint_rows(rows, options.dtype).any():
        raise _refused(options, of, faint_limit(options.dtype), "smaller rows")
    return stored


def _refused(options: ExportOptions, of: str, expected: str, found: str) -> ExportError:
    return ExportError(
        f"features of {of} cannot be exported as {options.dtype}",
        expected=expected,
        found=found,
        fix="Export them as float32, or with --normalize.",
    )
