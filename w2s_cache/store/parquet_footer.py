"""What the footer of a parquet file claims: rows, and the values and bytes of each column chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from w2s_cache.store.thrift_compact import Struct, read_struct

_MAGIC: Final = b"PAR1"
_TAIL: Final = 8  # bytes: the length of the footer and the magic
_TEXT, _FIXED = 6, 7  # types of the format
_DELTAS: Final = {6, 7}  # encodings of texts as differences: of lengths, or from the text before
_WIDTHS: Final = {0: 1, 1: 4, 2: 8, 3: 8, 4: 4, 5: 8, _TEXT: 8}  # bytes; of a text, where it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One column of one row group, as the footer has it.

    Attributes:
        path: Names from the column down to the leaf, joined by points.
        is_text: Whether its values are texts or bytes of any length.
        is_delta: Whether some of its texts are stored as differences, which no dictionary can hold.
        values: How many there are.
        width: Bytes that each takes at least.
        unpacked: Bytes before compression, a text of a dictionary counted once.
        packed: Bytes in the file.
    """

    path: str
    is_text: bool
    is_delta: bool
    values: int
    width: int
    unpacked: int
    packed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """Rows of the file, and its chunks."""

    rows: int
    chunks: tuple[Chunk, ...]


def read_footer(raw: Any) -> Footer:
    """Read the footer of an open Arrow file; numbers are whole and not negative.

    Raises:
        ValueError: There is none, or it contradicts itself or the size of the file.
        OSError, pa.ArrowException: The file cannot be read.
    """
    size = raw.size()
    tail = raw.read_at(_TAIL, max(size - _TAIL, 0))
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or length > size - _TAIL:
        raise ValueError("no parquet file")
    stated = read_struct(raw.read_at(length, size - _TAIL - length))
    try:
        leaves = [element for element in stated[2][1:] if not element.get(5)]
        chunks = [_chunk(c, leaf) for g in stated[4] for c, leaf in _pairs(g[1], leaves)]
        footer = Footer(rows=_count(stated[3]), chunks=tuple(chunks))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("a footer that lacks a part") from error
    for chunk in footer.chunks:
        if chunk.packed > size:
            raise ValueError(f"column {chunk.path} claims {chunk.packed} bytes of {size}")
    return footer


def _pairs(columns: list[Struct], leaves: list[Struct]) -> list[tuple[Struct, Struct]]:
    return list(zip(columns, leaves, strict=True))


def _chunk(column: Struct, leaf: Struct) -> Chunk:
    stated, kind = column[3], leaf[1]
    return Chunk(
        path=b".".join(stated[3]).decode(),
        is_text=kind == _TEXT,
        is_delta=kind == _TEXT and not _DELTAS.isdisjoint(stated[2]),
        values=_count(stated[5]),
        width=_count(leaf[2]) if kind == _FIXED else _WIDTHS[kind],
        unpacked=_count(stated[6]),
        packed=_count(stated[7]),
    )


def _count(value: int) -> int:
    if value < 0:
        raise ValueError(f"a count of {value}")
    return value
