"""When two folder names are two spellings of one name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

__all__ = ["composed", "name_key", "two_spellings"]

_IGNORED = str.maketrans("", "", " _-")


def name_key(name: str) -> str:
    """The form all spellings of a name share: ``Real World``, ``real_world``, ``RealWorld``.

    Letters with marks count as the same whether they are written as one code point or as two, as
    file systems differ in that.
    """
    return composed(name.casefold()).translate(_IGNORED)


def composed(name: str) -> str:
    """The name with every letter and its marks as one code point where there is one (NFC)."""
    return unicodedata.normalize("NFC", name)


def two_spellings(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two of ``names`` that spell one name, or None when all differ."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name_key(name), name)
        if other != name:
            return other, name
    return None
