"""One thing that was looked at: how it is, and what to do where it is not well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at and found.

    Attributes:
        section: Heading, e.g. ``"versions"``.
        name: What was looked at.
        level: ``ok``; ``warn``: works, but look at it; ``fail``: something will not work.
        value: What was found.
        fix: The next step, a sentence; empty where there is nothing to do.
    """

    section: str
    name: str
    level: Level
    value: str
    fix: str = ""
