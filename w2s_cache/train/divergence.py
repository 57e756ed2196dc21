"""What ends without numbers: a candidate of a run, or a run none of whose candidates is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s_cache.errors import TrainError, shown

_SHOWN = 5  # candidates in a message


@dataclass(frozen=True, kw_only=True, slots=True)
class Diverged:
    """A candidate that selection leaves out.

    Attributes:
        settings: The values that tell it from the run's other candidates; all where it is alone.
        found: What was no finite number, and where.
    """

    settings: Mapping[str, Any]
    found: str

    def __str__(self) -> str:
        """``tau = 1e-30: a loss of nan at step 0``."""
        values = ", ".join(f"{name} = {shown(value)}" for name, value in self.settings.items())
        return f"{values or 'no settings'}: {self.found}"


def announce(diverged: Sequence[Diverged], who: str, say: Callable[[str], None]) -> None:
    """Says which candidates of a run were left out."""
    for lost in diverged:
        say(f"{who}: a candidate diverged and is left out of selection: {lost}")


def nothing_left(who: str, diverged: Sequence[Diverged]) -> TrainError:
    """The refusal of a run all of whose candidates diverged.

    Args:
        who: Method, domain and seed.
        diverged: Its candidates, at least one.
    """
    some = "; ".join(map(str, diverged[:_SHOWN]))
    more = len(diverged) - _SHOWN
    return TrainError(
        f"{who} diverged",
        expected="finite numbers" + (" from one candidate at least" if len(diverged) > 1 else ""),
        found=some + (f"; and {more} more candidates" if more > 0 else ""),
        fix="Choose settings of a usual size: a lower learning rate, a temperature from 0.001 to "
        "10, a shrinkage that is not near 0.",
    )
