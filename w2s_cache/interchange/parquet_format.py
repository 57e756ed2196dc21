"""Exports as parquet: vectors are fixed-size lists, one row group per stretch of rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from w2s_cache.interchange.column import Column, ExportTable

ABOUT_KEY = b"w2s_cache.export"


def write_parquet(path: Path, table: ExportTable, advance: Callable[[int], None]) -> None:
    """Writes a table; ``about`` stands as JSON under ``w2s_cache.export`` in the file's metadata.

    Raises:
        OSError: The disk refused.
    """
    fields = [pa.field(column.name, _type(column)) for column in table.columns]
    about = {ABOUT_KEY: json.dumps(table.about, sort_keys=True).encode()}
    schema = pa.schema(fields).with_metadata(about)
    texts = [column.name for column in table.columns if column.dtype == "str"]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=texts) as writer:
        for start, stop in table.bounds:
            arrays = [_array(column, column.read(start, stop)) for column in table.columns]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            advance(stop - start)


def _type(column: Column) -> Any:
    scalar = pa.string() if column.dtype == "str" else pa.from_numpy_dtype(np.dtype(column.dtype))
    return scalar if column.width is None else pa.list_(scalar, column.width)


def _array(column: Column, values: np.ndarray) -> Any:
    if column.width is None:
        return pa.array(values.tolist() if column.dtype == "str" else values, _type(column))
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, type=_type(column))
