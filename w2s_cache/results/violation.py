"""One broken law of the run-record specification."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """A law that a run breaks, and how.

    Args:
        law: Number of the law in docs/run-record.md, e.g. ``"RR-07"``.
        message: What was found.
    """

    law: str
    message: str
