"""Weak predictions somebody else made: a file of logits keyed by image path.

Accepted: parquet or csv with a column ``path`` and either one list column ``logits`` or one column
per class named as the class; npz with arrays ``path`` and ``logits`` (no pickle).
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from w2s_cache.errors import UnknownNameError, WeakLogitsError

_LISTED = 3
_UNREADABLE = (
    pa.ArrowException,
    OSError,
    ValueError,
    KeyError,
    TypeError,  # numbers where lists should be
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_weak_logits(file: Path, *, paths: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Reads logits and puts them into row order.

    Args:
        file: A ``.parquet``, ``.csv`` or ``.npz`` file.
        paths: Relative paths of all rows of the index, in order: the file holds exactly these.
        classes: Class names in label order.

    Returns:
        (n, k) float32 logits.

    Raises:
        WeakLogitsError: Missing, unknown or repeated rows, a wrong number of classes, NaN, or a
            file that cannot be read.
        UnknownNameError: The file's suffix is none of the three.
    """
    if not file.is_file():
        raise _refused(file, "a parquet, csv or npz file", "no such file", "Correct the path.")
    found, logits = _read(file, classes)
    if logits.ndim != 2 or logits.shape[1] != len(classes):
        raise _refused(
            file,
            f"{len(classes)} logits per row",
            f"shape {logits.shape}",
            "Write one number per class, in the order of `w2s-cache data classes`.",
        )
    if len(found) != len(logits):
        raise _refused(
            file, f"{len(found)} rows, one per path", f"{len(logits)}", "Write one row per path."
        )
    with np.errstate(over="ignore"):  # beyond float32 is infinity, refused below
        logits = logits.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(bad):
        raise _refused(
            file,
            "finite logits",
            f"NaN or infinity in {len(bad)} rows, first {found[bad[0]]!r}",
            "Recompute those rows; probabilities of 0 must not be turned into log 0.",
        )
    ordered: np.ndarray = logits[_row_order(file, found, paths)]
    return ordered


def _read(file: Path, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    readers = {".parquet": _read_parquet, ".csv": _read_csv, ".npz": _read_npz}
    if file.suffix not in readers:
        raise UnknownNameError("format of weak logits", file.suffix, readers)
    try:
        return readers[file.suffix](file, classes)
    except _UNREADABLE as error:
        raise _refused(
            file,
            "a column `path` and either `logits` or one column per class",
            str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__,
            "See `w2s-cache extract --help` for the three formats.",
        ) from error


def _read_parquet(file: Path, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    return _from_table(pq.read_table(file), classes)


def _read_csv(file: Path, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    return _from_table(pa_csv.read_csv(file), classes)


def _read_npz(file: Path, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:  # noqa: ARG001
    if not zipfile.is_zipfile(file):
        raise ValueError("a file that is no npz archive")
    with np.load(file, allow_pickle=False) as arrays:
        logits = arrays["logits"]
        if logits.dtype.kind not in "fiu":
            raise ValueError(f"logits of dtype {logits.dtype}")
        return [str(path) for path in arrays["path"]], logits


def _from_table(table: pa.Table, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    paths = [str(path) for path in table.column("path").to_pylist()]
    if "logits" in table.column_names:
        rows = table.column("logits").to_pylist()
        if any(row is None or len(row) != len(rows[0]) for row in rows):
            raise ValueError("logits of differing lengths")
        return paths, np.array(rows, dtype=np.float64)
    columns = [table.column(name).to_numpy() for name in classes]
    return paths, np.stack(columns, axis=1).astype(np.float64)


def _row_order(file: Path, found: Sequence[str], paths: Sequence[str]) -> np.ndarray:
    position = {path: row for row, path in enumerate(found)}
    if len(position) != len(found):
        seen: set[str] = set()
        twice = next(path for path in found if path in seen or seen.add(path))  # type: ignore[func-returns-value]
        raise _refused(file, "each path once", f"{twice!r} more than once", "Remove one of them.")
    known = set(paths)
    absent = [path for path in paths if path not in position]
    unknown = [path for path in found if path not in known]
    if absent or unknown:
        raise _refused(
            file,
            f"exactly the {len(paths)} rows of the index",
            f"{len(absent)} missing{_examples(absent)}, {len(unknown)} unknown{_examples(unknown)}",
            "Write paths relative to the data root, as `w2s-cache data index` prints them.",
        )
    return np.array([position[path] for path in paths])


def _examples(paths: Sequence[str]) -> str:
    return (
        f" ({', '.join(paths[:_LISTED])}{', …' if len(paths) > _LISTED else ''})" if paths else ""
    )


def _refused(file: Path, expected: str, found: str, fix: str) -> WeakLogitsError:
    return WeakLogitsError(f"weak logits {file}", expected=expected, found=found, fix=fix)
