"""The three kinds of store and the arrays each of them may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayRule:
    """What a kind of store demands of one array: its rank per row, dtypes, and presence."""

    rank: int
    dtypes: tuple[str, ...]
    required: bool


FLOATS: Final = ("float16", "float32")
KINDS: Final[Mapping[str, Mapping[str, ArrayRule]]] = {
    "image": {
        "features": ArrayRule(rank=1, dtypes=FLOATS, required=True),  # (D,)
        "preprojection": ArrayRule(rank=1, dtypes=FLOATS, required=False),  # (P,)
    },
    "logits": {"logits": ArrayRule(rank=1, dtypes=("float32",), required=True)},  # (K,)
    "text": {
        "features": ArrayRule(rank=2, dtypes=FLOATS, required=True),  # (T, D)
        "tokens": ArrayRule(rank=2, dtypes=("int32", "int64"), required=False),  # (T, L)
    },
}
