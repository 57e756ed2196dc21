"""Exports as safetensors, laid out here because the library's writer wants all numbers in memory.

The format is one length, one JSON header that names every tensor's type, shape and place, then the
numbers without gaps, little-endian. Text cannot be a tensor: columns of text are JSON lists in the
header's metadata, beside ``about``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from w2s_cache.interchange.column import Column, ExportTable

ABOUT_FIELD = "about"
_NAMES = {"int64": "I64", "int32": "I32", "float32": "F32", "float16": "F16"}
_ALIGNMENT = 8


def write_safetensors(path: Path, table: ExportTable, advance: Callable[[int], None]) -> None:
    """Writes one tensor per column of numbers.

    Raises:
        OSError: The disk refused.
    """
    numbers = [column for column in table.columns if column.dtype != "str"]
    ordered = sorted(numbers, key=lambda column: -np.dtype(column.dtype).itemsize)  # aligned
    header = json.dumps(_header(ordered, table), ensure_ascii=False).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    share = len(ordered)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for number, column in enumerate(ordered):
            dtype = np.dtype(column.dtype).newbyteorder("<")
            for bounds in table.bounds:
                file.write(np.ascontiguousarray(column.read(*bounds), dtype=dtype).tobytes())
            advance(table.rows * (number + 1) // share - table.rows * number // share)


def _header(ordered: list[Column], table: ExportTable) -> dict[str, Any]:
    header: dict[str, Any] = {"__metadata__": _metadata(table)}
    place = 0
    for column in ordered:
        shape = column.shape(table.rows)
        end = place + int(np.prod(shape)) * np.dtype(column.dtype).itemsize
        name = _NAMES[column.dtype]
        header[column.name] = {"dtype": name, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    return header


def _metadata(table: ExportTable) -> dict[str, str]:
    texts = {
        column.name: [text for bounds in table.bounds for text in column.read(*bounds).tolist()]
        for column in table.columns
        if column.dtype == "str"
    }
    lists = {name: json.dumps(values, ensure_ascii=False) for name, values in texts.items()}
    return {**lists, ABOUT_FIELD: json.dumps(table.about, sort_keys=True)}
