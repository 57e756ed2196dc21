"""What a check found: violations that must be mended, notes that a person should look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken law: its name, what is wrong, what to do."""

    law: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.law}: {self.message}. {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One artifact of the cache, by its posix path below the home, and what was found of it."""

    path: str
    kind: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
