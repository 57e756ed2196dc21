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
    tensors = _tensors(ordered, table)
    parts = {"__metadata__": _metadata(table), **tensors}
    header = json.dumps(parts, ensure_ascii=False).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    begin = 8 + len(header)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        places = {name: begin + tensor["data_offsets"][0] for name, tensor in tensors.items()}
        for start, stop in table.bounds:  # a stretch of all columns, so that none is read twice
            for column in numbers:
                dtype = np.dtype(column.dtype).newbyteorder("<")
                values = np.ascontiguousarray(column.read(start, stop), dtype=dtype)
                file.seek(places[column.name])
                file.write(values.tobytes())
                places[column.name] += values.nbytes
            advance(stop - start)


def _tensors(ordered: list[Column], table: ExportTable) -> dict[str, dict[str, Any]]:
    """Type, shape and place of each column, one behind the other."""
    tensors, place = {}, 0
    for column in ordered:
        shape = column.shape(table.rows)
        end = place + int(np.prod(shape)) * np.dtype(column.dtype).itemsize
        name = _NAMES[column.dtype]
        tensors[column.name] = {"dtype": name, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    return tensors


def _metadata(table: ExportTable) -> dict[str, str]:
    texts = {
        column.name: [text for bounds in table.bounds for text in column.read(*bounds).tolist()]
        for column in table.columns
        if column.dtype == "str"
    }
    lists = {name: json.dumps(values, ensure_ascii=False) for name, values in texts.items()}
    return {**lists, ABOUT_FIELD: json.dumps(table.about, sort_keys=True)}
