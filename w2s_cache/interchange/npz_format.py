"""Exports as npz, written a stretch of rows at a time and read without pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from w2s_cache.interchange.column import Column, ExportTable

ABOUT_ARRAY = "about"


def write_npz(path: Path, table: ExportTable, advance: Callable[[int], None]) -> None:
    """Writes one array per column; the array ``about`` is a JSON text.

    Text is of numpy's fixed-width kind, None an empty one.

    Raises:
        OSError: The disk refused.
    """
    share = len(table.columns)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        about = np.array(json.dumps(table.about, sort_keys=True))
        _write(archive, ABOUT_ARRAY, about.dtype, (), [about])
        for number, column in enumerate(table.columns):
            dtype = _text_dtype(column, table) if column.dtype == "str" else np.dtype(column.dtype)
            blocks = _blocks(column, table, dtype)
            _write(archive, column.name, dtype, column.shape(table.rows), blocks)
            advance(table.rows * (number + 1) // share - table.rows * number // share)


def _write(
    archive: zipfile.ZipFile,
    name: str,
    dtype: np.dtype,
    shape: tuple[int, ...],
    blocks: Iterator[np.ndarray] | list[np.ndarray],
) -> None:
    descr = np.lib.format.dtype_to_descr(dtype)
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(block.tobytes())


def _blocks(column: Column, table: ExportTable, dtype: np.dtype) -> Iterator[np.ndarray]:
    for start, stop in table.bounds:
        values = column.read(start, stop)
        plain = [v or "" for v in values.tolist()] if column.dtype == "str" else values
        yield np.ascontiguousarray(plain, dtype=dtype)


def _text_dtype(column: Column, table: ExportTable) -> np.dtype:
    texts = (text for bounds in table.bounds for text in column.read(*bounds).tolist())
    return np.dtype(f"<U{max(1, *(len(text or '') for text in texts), 1)}")
