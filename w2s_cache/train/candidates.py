"""Hyper-parameters given as lists: every combination is trained, val decides which is kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from w2s_cache.errors import TrainError


def candidates(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields one dict of plain values per combination, first listed first.

    ``{"tau": [1.0, 0.1], "normalize": True}`` yields two. Options without lists yield themselves.

    Raises:
        TrainError: A list without values.
    """
    listed = {name: value for name, value in options.items() if isinstance(value, list)}
    for name, value in listed.items():
        if not value:
            raise TrainError(
                f"hyper-parameter {name} has no candidates",
                expected="a value, or a list of at least one",
                found="an empty list",
                fix=f"Set {name} to a value.",
            )
    for values in itertools.product(*listed.values()):
        yield {**options, **dict(zip(listed, values, strict=True))}
