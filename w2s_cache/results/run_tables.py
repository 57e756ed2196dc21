"""The two parquet tables of a run: its predictions and its training trace."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from w2s_cache.errors import RecordError
from w2s_cache.store.parquet_bounds import read_bounded

PREDICTIONS_SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("label", pa.int64(), nullable=False),
        pa.field("weak", pa.int64(), nullable=False),
        pa.field("predicted", pa.int64(), nullable=False),
        pa.field("confidence", pa.float32(), nullable=False),
    ]
)
"""One line per evaluated row; ``row`` and ``path`` are those of the index, classes are numbers."""

TRACE_SCHEMA = pa.schema(
    [
        pa.field("step", pa.int64(), nullable=False),
        pa.field("epoch", pa.int64(), nullable=False),
        pa.field("loss", pa.float64(), nullable=False),
        pa.field("lr", pa.float64(), nullable=False),
        pa.field("val_score", pa.float64(), nullable=True),
        pa.field("fit_accuracy", pa.float64(), nullable=True),
        pa.field("eval_accuracy", pa.float64(), nullable=True),
    ]
)
"""One line per step; what may be null is null on steps after which nothing was measured."""

FIRST_TRACE_SCHEMA = pa.schema(list(TRACE_SCHEMA)[:5])
"""Traces from before accuracies could be kept; still lawful."""


def conform(table: pa.Table, schema: pa.Schema, *, name: str) -> pa.Table:
    """Brings a table into its declared columns, order and types, losing nothing.

    Args:
        table: Columns of these names in any order; a column that may be null may be left out.
        schema: The declared columns.
        name: What the table is, named in errors.

    Returns:
        The table, sorted by its first column.

    Raises:
        RecordError: A column is missing, unknown, null where it must not be, or of another type.
    """
    needed = [field.name for field in schema if not field.nullable]
    columns = list(table.column_names)
    if set(columns) - set(schema.names) or set(needed) - set(columns):
        raise _refusal(name, schema, f"columns {', '.join(columns) or '(none)'}")
    for field in schema:
        if field.name not in columns:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    holes = [column for column in needed if table.column(column).null_count]
    if holes:
        raise _refusal(name, schema, f"nulls in {', '.join(holes)}")
    try:
        return table.select(schema.names).cast(schema).sort_by(schema.names[0])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _refusal(name, schema, str(error)) from error


def table_bytes(table: pa.Table) -> bytes:
    """Lays a table out as a parquet file in memory, inverse of :func:`parse_table`."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def parse_table(content: bytes) -> pa.Table:
    """Reads a table from the bytes of a parquet file; its texts are looked at, too.

    Raises:
        DAMAGED_PARQUET: Any of :data:`w2s_cache.store.index.DAMAGED_PARQUET`.
    """
    table = read_bounded(content)
    table.validate(full=True)  # text that is no UTF-8 would be met by whoever reads it first
    return table


def _refusal(name: str, schema: pa.Schema, found: str) -> RecordError:
    return RecordError(
        f"the {name} of a run have the wrong form",
        expected=", ".join(f"{field.name} {field.type}" for field in schema),
        found=found,
        fix="Build the table with these columns.",
    )
