"""The three formats of imported predictions: parquet, csv and npz → paths and numbers.

A table has a column ``path`` and either a column ``logits`` (lists; in csv a JSON list or numbers
parted by blanks) or one column per class named as the class. An archive has the arrays ``path`` and
``logits`` (no pickle), and may have ``classes``, the names of the columns of ``logits``.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from w2s_cache.data.npz_arrays import open_npz
from w2s_cache.errors import UnknownNameError, WeakLogitsError
from w2s_cache.store.parquet_bounds import parquet_schema, read_bounded
from w2s_cache.store.shallow_json import parse_json

_ARRAYS = ("path", "logits", "classes")
_LISTED = 5  # columns named in a message
_DOMAINS = 64  # of a data set, which may stand in one file
_NUMBER, _PATH = 8, 256  # bytes of one
_SHOWN = 200  # characters of a cell in a message
_UNREADABLE = (
    pa.ArrowException,
    OSError,
    ValueError,
    KeyError,
    TypeError,  # numbers where lists should be
    EOFError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
)


def read_predictions(
    file: Path, classes: Sequence[str], *, rows: int = 0
) -> tuple[list[str], np.ndarray]:
    """Reads a file by its suffix.

    Args:
        file: The file.
        classes: Class names in label order.
        rows: Rows of the domain. What 64 such domains take is read from parquet in any case,
            however small it is packed.

    Returns:
        The n paths of the file and its numbers, (n, k) where every row is of one length.

    Raises:
        WeakLogitsError: The file cannot be read, a column is missing, or a text is no number.
        UnknownNameError: The file's suffix is none of the three.
    """
    readers: dict[str, Callable[[Path, Sequence[str]], tuple[list[str], np.ndarray]]] = {
        ".parquet": functools.partial(_read_parquet, rows=rows),
        ".csv": _read_csv,
        ".npz": _read_npz,
    }
    if file.suffix not in readers:
        raise UnknownNameError("format of weak logits", file.suffix, readers)
    try:
        return readers[file.suffix](file, classes)
    except _UNREADABLE as error:
        raise WeakLogitsError(
            f"weak logits {file}",
            expected="a column `path` and either `logits` or one column per class",
            found=str(error).strip().splitlines()[0]
            if str(error).strip()
            else type(error).__name__,
            fix="See docs/weak-logits.md for an example of each format.",
        ) from error


def _read_parquet(file: Path, classes: Sequence[str], *, rows: int) -> tuple[list[str], np.ndarray]:
    """Logits of hard labels are nearly constant: how small they are packed proves nothing."""
    names = parquet_schema(file).names
    _refuse_columns(names, classes)
    wanted = ["path", *(["logits"] if "logits" in names else classes)]
    expected = _DOMAINS * rows * (len(classes) * _NUMBER + _PATH)
    return _from_table(read_bounded(file, columns=wanted, expected=expected), classes)


def _read_csv(file: Path, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Every cell is read as text: what is no number is to be named, not guessed to be absent."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        header = next(csv.reader(lines), [])
    as_text = pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()))
    return _from_table(pa_csv.read_csv(file, convert_options=as_text), classes)


def _read_npz(file: Path, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    with open_npz(file) as arrays:
        if unknown := [name for name in arrays.names if name not in _ARRAYS]:
            raise ValueError(f"unknown arrays {_shown(unknown)} beside {_shown(_ARRAYS)}")
        logits = arrays.read("logits")
        if logits.dtype.kind not in "fiu":
            raise ValueError(f"logits of dtype {logits.dtype}")
        if "classes" in arrays:
            logits = _by_class(logits, arrays.texts("classes"), classes)
        return arrays.texts("path"), logits


def _by_class(logits: np.ndarray, named: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Columns in the order of the classes; as with columns of a table, others are ignored."""
    if logits.ndim != 2 or len(named) != logits.shape[1]:
        raise ValueError(f"{len(named)} `classes` for logits of shape {logits.shape}")
    if repeated := sorted({name for name in named if named.count(name) > 1}):
        raise ValueError(f"`classes` that repeat: {_shown(repeated)}")
    _refuse_columns(["path", *named], classes)
    ordered: np.ndarray = logits[:, [named.index(name) for name in classes]]
    return ordered


def _from_table(table: pa.Table, classes: Sequence[str]) -> tuple[list[str], np.ndarray]:
    _refuse_columns(table.column_names, classes)
    paths = [str(path) for path in table.column("path").to_pylist()]
    if "logits" not in table.column_names:
        columns = [_class_column(table.column(name), name, paths) for name in classes]
        return paths, np.stack(columns, axis=1)
    cells = table.column("logits").to_pylist()
    rows = [_cell_row(cell, path) for cell, path in zip(cells, paths, strict=True)]
    if any(row is None or len(row) != len(rows[0]) for row in rows):
        raise ValueError("logits of differing lengths")
    return paths, np.array(rows, dtype=np.float64)


def _class_column(column: pa.ChunkedArray, name: str, paths: Sequence[str]) -> np.ndarray:
    if not pa.types.is_string(column.type):
        numbers: np.ndarray = column.to_numpy().astype(np.float64)
        return numbers
    with contextlib.suppress(pa.ArrowInvalid):  # a cell is no number: the slow way names it
        return column.cast(pa.float64()).to_numpy()  # type: ignore[no-any-return]
    cells = zip(column.to_pylist(), paths, strict=True)
    return np.array([_number(cell, f"class {name!r}", path) for cell, path in cells])


def _cell_row(cell: Any, path: str) -> Any:
    """One cell of the column ``logits``: a list as it is, a text taken apart."""
    if not isinstance(cell, str):
        return cell
    if not cell.lstrip().startswith("["):
        return [_number(word, "logits", path) for word in cell.split()]
    try:
        items = parse_json(cell)
    except ValueError as error:
        shown = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…"
        raise ValueError(f"{shown!r} in logits of {path!r}, which is no JSON list") from error
    return [_number(item, "logits", path) for item in items]


def _number(text: Any, column: str, path: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{text!r} in {column} of {path!r}, which is no number") from error


def _refuse_columns(found: Sequence[str], classes: Sequence[str]) -> None:
    """The header must have ``path`` and either ``logits`` or every class."""
    if "path" not in found:
        raise ValueError(f"no column `path` among {_shown(found)}")
    missing = [name for name in classes if name not in found]
    if "logits" in found or not missing:
        return
    unknown = [name for name in found if name != "path" and name not in classes]
    if len(missing) == len(classes):
        raise ValueError(
            f"no column `logits` and none of the {len(classes)} classes, but {_shown(unknown)}"
        )
    nearest = [f"{name!r}{_nearest(name, unknown)}" for name in missing[:_LISTED]]
    more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
    raise ValueError(
        f"no column for {', '.join(nearest)}{more}; columns that are no class: {_shown(unknown)}"
    )


def _nearest(name: str, unknown: Sequence[str]) -> str:
    fix = UnknownNameError("column", name, unknown).fix
    return f" ({fix[0].lower()}{fix[1:]})" if fix.startswith("Did") else ""


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(map(repr, names[:_LISTED])) or 'none'}{more}"
