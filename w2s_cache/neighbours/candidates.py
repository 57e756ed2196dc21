"""What a search asks of an index, whichever library keeps it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Candidates(Protocol):
    """Names rows of a base (n, d) of unit rows that are near a query.

    It need not rank them finely nor order copies: the search compares the rows it names anew.
    """

    @property
    def name(self) -> str:
        """What it is, for people: library, kind, settings."""
        ...

    @property
    def exact(self) -> bool:
        """Whether it looks at every row of the base."""
        ...

    def top(self, queries: Tensor, count: int) -> Tensor:
        """Unit rows (q, d) → (q, count) int64, the nearest rows; −1 where it found no more."""
        ...

    def above(self, queries: Tensor, least: float) -> tuple[Tensor, Tensor]:
        """Unit rows (q, d) → pairs (query, row), int64 (p,) each, of cosines above ``least``."""
        ...
