"""What an export writes: columns that are read a stretch of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

DType = Literal["int64", "int32", "float16", "float32", "str"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One named column of an export.

    Attributes:
        name: What readers call it.
        dtype: Type of its values; ``str`` is text, which may be None.
        width: None for one value per row, else the length of the vector in each row.
        read: (start, stop) → rows [start, stop) of the export: (stop - start,) or
            (stop - start, width) of ``dtype``, object for text.
    """

    name: str
    dtype: DType
    width: int | None = None
    read: Callable[[int, int], np.ndarray]

    def shape(self, rows: int) -> tuple[int, ...]:
        """The shape of the whole column."""
        return (rows,) if self.width is None else (rows, self.width)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportTable:
    """Columns of a common length, and what is said of them.

    Attributes:
        columns: In the order readers see.
        bounds: Stretches [start, stop) that follow one another from 0; each fits in memory.
        about: JSON values that trace where the numbers come from.
    """

    columns: tuple[Column, ...]
    bounds: tuple[tuple[int, int], ...]
    about: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """The common length."""
        return self.bounds[-1][1] if self.bounds else 0


def values_column(name: str, dtype: DType, values: np.ndarray) -> Column:
    """A column whose values are in memory: (n,) or (n, width)."""
    width = None if values.ndim == 1 else values.shape[1]
    return Column(name=name, dtype=dtype, width=width, read=lambda start, stop: values[start:stop])


def text_column(name: str, texts: list[str | None]) -> Column:
    """A column of text in memory."""
    return values_column(name, "str", np.array(texts, dtype=object))
