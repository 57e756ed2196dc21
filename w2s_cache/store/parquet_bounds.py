"""Tables of a parquet file, refused by what its footer claims before memory is taken for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from w2s_cache.store.parquet_footer import Footer, read_footer

FREE: Final = 64 << 20
"""Bytes that a table may unpack to, however small it is packed."""
MOST_EXPANDED: Final = 200
"""Larger tables may unpack to this multiple of their file; numbers, paths and hashes stay below."""
_FEW: Final = 256  # rows at a time, of which each may be as long as a page
_TEXTS: Final = ("string", "large_string", "binary", "large_binary")
_VIEWS: Final = {"string_view": pa.string(), "binary_view": pa.binary()}


def read_bounded(
    source: Path | bytes,
    *,
    columns: Sequence[str] | None = None,
    schema: pa.Schema | None = None,
    expected: int = 0,
) -> pa.Table:
    """Read a table that takes no more memory than its file, or what is expected of it, warrants.

    Texts are counted from their lengths before they are unpacked: one text of a dictionary may
    stand in each of any number of rows.

    Args:
        source: The file, or its bytes.
        columns: Names of the columns that are read; None for all of them.
        schema: The columns that the file must have; None for whatever it has.
        expected: Bytes that an honest table may have in any case.

    Returns:
        The table, with the metadata of its schema; texts are no dictionaries.

    Raises:
        ValueError: It has other columns, or would unpack to more than the larger of
            :data:`FREE`, ``expected`` and :data:`MOST_EXPANDED` times the size of the file.
        pa.ArrowException, OSError, LookupError: It is damaged, or lacks a column.
    """
    with _opened(source) as raw:
        size = raw.size()
        footer = read_footer(raw)
        plain = pq.read_schema(raw)
        if schema is not None and not plain.equals(schema):
            raise ValueError(f"columns {', '.join(f'{c.name} {c.type}' for c in plain)}")
        if absent := [name for name in columns or () if name not in plain.names]:
            raise LookupError(f"no column {', '.join(absent)} among {', '.join(plain.names)}")
        most = max(FREE, expected, MOST_EXPANDED * size)
        claimed = _claimed(footer, plain, columns)
        _refuse_beyond(most, claimed, size)
        names = plain.names if columns is None else list(columns)
        deltas = {chunk.path for chunk in footer.chunks if chunk.is_delta}.intersection(names)
        for known in _spelled_out(raw, sorted(deltas)):
            _refuse_beyond(most, claimed + known, size)
        texts = [c.name for c in plain if _text_type(c.type) and c.name not in deltas]
        table = pq.read_table(
            raw,
            columns=names,
            partitioning=None,
            read_dictionary=texts,
            page_checksum_verification=True,
        )
    unpacked = sum(_unpacked(table.column(name)) for name in table.column_names if name in texts)
    _refuse_beyond(most, claimed + unpacked, size)
    return _without_dictionaries(table, texts, plain)


def parquet_schema(source: Path) -> pa.Schema:
    """The columns of a parquet file, of which nothing else is read.

    Raises:
        pa.ArrowException, OSError, ValueError: It is damaged.
    """
    with _opened(source) as raw:
        return pq.read_schema(raw)


def _opened(source: Path | bytes) -> Any:
    if isinstance(source, bytes):
        return pa.BufferReader(source)
    if source.exists() and not source.is_file():
        raise ValueError("no regular file")  # opening a pipe would wait for its writer
    return pa.OSFile(str(source))


def _claimed(footer: Footer, plain: pa.Schema, columns: Sequence[str] | None) -> int:
    """Bytes that the footer's numbers of rows and values take, texts as packed in dictionaries."""
    fields = [field for field in plain if columns is None or field.name in columns]
    widths = {field.name: _width(field) for field in fields}
    nested = [field.name for field in fields if pa.types.is_nested(field.type)]
    total = 0
    for field in fields:
        if pa.types.is_fixed_size_list(field.type):  # rows without a value have places in it, too
            total += footer.rows * field.type.list_size * widths[field.name]
    for chunk in footer.chunks:
        within = [name for name in nested if chunk.path.startswith(f"{name}.")]
        if within and chunk.is_text:
            raise ValueError(f"texts inside column {chunk.path}, which are not read")
        for name in within or widths.keys() & {chunk.path}:
            total += chunk.values * max(chunk.width, widths[name])
            total += chunk.unpacked if chunk.is_text else 0
    return total


def _width(field: pa.Field) -> int:
    """Bytes that a number of a column, or of its lists, takes in memory; 8 for other things."""
    kind = field.type
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_nested(kind) and kind.num_fields == 1 and not pa.types.is_struct(kind):
        kind = kind.field(0).type
    if pa.types.is_nested(kind):
        raise ValueError(f"column {field.name} of {kind}, which is not read")
    try:
        return max(int(kind.bit_width) // 8, 1)
    except ValueError:
        return 8


def _spelled_out(raw: Any, columns: Sequence[str]) -> Iterator[int]:
    """Bytes that the rows so far take of columns whose texts are stored as differences."""
    total = 0
    if columns:
        for batch in pq.ParquetFile(raw).iter_batches(_FEW, columns=list(columns)):
            total += batch.nbytes
            yield total


def _text_type(kind: Any) -> Any:
    """The type of a column of texts or bytes once it is no dictionary; None for others."""
    if pa.types.is_dictionary(kind):
        return _text_type(kind.value_type)
    if str(kind) in _VIEWS:
        return _VIEWS[str(kind)]
    return kind if str(kind) in _TEXTS else None


def _unpacked(column: pa.ChunkedArray) -> int:
    """Bytes of the texts of a column of dictionaries."""
    total = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary)
        total += pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0
    return total


def _refuse_beyond(most: int, stated: int, size: int) -> None:
    if stated > most:
        text = f"{size:,} bytes would unpack to {stated:,} or more"
        raise ValueError(f"packed too densely to be a table of this kind: {text}")


def _without_dictionaries(table: pa.Table, texts: Sequence[str], plain: pa.Schema) -> pa.Table:
    for number, name in enumerate(table.column_names):
        if name in texts:
            field = plain.field(name).with_type(_text_type(plain.field(name).type))
            table = table.set_column(number, field, table.column(name).cast(field.type))
    return table
