"""A number with its noun, singular where there is one of it."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """``1 image``, ``2,800 images``, ``40 classes``.

    Args:
        number: How many.
        one: The noun, or a noun and its verb, for one.
        several: The same for all other numbers; by default with an s, or es after an s.
    """
    if number == 1:
        return f"1 {one}"
    return f"{number:,} {several or one + ('es' if one.endswith('s') else 's')}"
