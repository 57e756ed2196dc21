"""When two folder names are two spellings of one name."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["name_key", "two_spellings"]

_IGNORED = str.maketrans("", "", " _-")


def name_key(name: str) -> str:
    """The form all spellings of a name share: ``Real World``, ``real_world``, ``RealWorld``."""
    return name.casefold().translate(_IGNORED)


def two_spellings(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two of ``names`` that spell one name, or None when all differ."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name_key(name), name)
        if other != name:
            return other, name
    return None
