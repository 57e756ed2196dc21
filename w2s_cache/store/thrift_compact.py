"""The compact protocol of Thrift, in which parquet states what a file holds: read, never trusted.

Arrow's own accessors of a footer end the process where it was damaged; this reader cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Struct = dict[int, Any]
"""Values by the number of their field; names are in no file."""
_DEEPEST: Final = 16  # parquet nests half as deep
_TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY = 1, 2, 3, 6, 7, 8  # two more integers between
_LIST, _SET, _MAP, _STRUCT = 9, 10, 11, 12
_LONG_LIST: Final = 15
_LONGEST: Final = 10  # bytes of an integer of 64 bits
_MOST_VALUES: Final = 2_000_000  # those of 100,000 column chunks; each takes 70 bytes or so here


def read_struct(content: bytes) -> Struct:
    """The struct with which some bytes begin.

    Raises:
        ValueError: They are none: cut short, nested too deep, or of unknown types.
    """
    try:
        return _Reader(content).struct(0)
    except IndexError as error:
        raise ValueError("a footer that is cut short") from error


@dataclass(slots=True)
class _Reader:
    """Bytes, and how far they were read."""

    content: bytes
    at: int = 0
    values: int = 0

    def struct(self, depth: int) -> Struct:
        """What stands from here to the end of a struct."""
        found: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        self.values += 1
        if depth > _DEEPEST or self.values > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES:,} values, or {_DEEPEST} in one another")
        if kind in (_TRUE, _FALSE, _BYTE):  # truth takes a byte of its own in lists alone
            return self._byte()
        if kind == _BINARY:
            return self._bytes(self._length())
        if kind == _DOUBLE:
            return self._bytes(8)  # nothing asks for it
        if _BYTE < kind <= _I64:
            return self._integer()
        return self._many(kind, depth)

    def _many(self, kind: int, depth: int) -> Any:
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _MAP:
            return self._map(depth)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"values of unknown type {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = self._bounded(self._length() if head >> 4 == _LONG_LIST else head >> 4)
        return [self._value(head & 15, depth + 1) for _ in range(count)]

    def _map(self, depth: int) -> list[tuple[Any, Any]]:
        count = self._bounded(self._length())
        kinds = self._byte() if count else 0
        return [
            (self._value(kinds >> 4, depth + 1), self._value(kinds & 15, depth + 1))
            for _ in range(count)
        ]

    def _byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self.at += self._bounded(count)
        return self.content[self.at - count : self.at]

    def _bounded(self, count: int) -> int:
        """A count of things of which each takes at least a byte."""
        if count > len(self.content) - self.at:
            raise IndexError
        return count

    def _length(self) -> int:
        value = 0
        for place in range(_LONGEST):
            byte = self._byte()
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value
        raise ValueError(f"an integer of more than {_LONGEST} bytes")

    def _integer(self) -> int:
        value = self._length()
        return value >> 1 ^ -(value & 1)
