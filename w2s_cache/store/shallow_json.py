"""JSON of the cache's own files, which anybody may have written: refused when nested too deeply."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 100


def parse_json(text: str | bytes, *, parse_constant: Callable[[str], object] | None = None) -> Any:
    """Reads JSON.

    Raises:
        ValueError: It is no JSON, or lists and objects stand in one another more than
            :data:`MAX_DEPTH` deep.
    """
    try:
        value = json.loads(text, parse_constant=parse_constant)
    except RecursionError as error:
        raise _too_deep() from error
    level, depth = [value], 0
    while level := [item for parent in level for item in _inside(parent)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
    return value


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> ValueError:
    return ValueError(f"lists and objects in one another, more than {MAX_DEPTH} deep")
