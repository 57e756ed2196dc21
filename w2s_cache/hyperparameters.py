"""What hyper-parameters of heads, starts and losses may be; each refusal names the parameter."""

from __future__ import annotations

import math

from w2s_cache.errors import TrainError, shown

_ROUNDS = 10_000  # whatever is repeated has converged long before


def require_temperatures(**given: float) -> None:
    """Refuses temperatures that are not finite numbers above 0.

    Raises:
        TrainError: One is not; the message names it.
    """
    for name, value in given.items():
        if not (_is_number(value) and value > 0):
            raise TrainError(
                f"temperature {name}",
                expected="a finite number above 0",
                found=shown(value),
                fix=f"Set {name} to e.g. 0.1.",
            )


def require_shares(**given: float) -> None:
    """Refuses shares and mixing weights outside [0, 1].

    Raises:
        TrainError: One is outside; the message names it.
    """
    for name, value in given.items():
        if not (_is_number(value) and 0 <= value <= 1):
            raise TrainError(
                f"hyper-parameter {name}",
                expected="a number in [0, 1]",
                found=shown(value),
                fix=f"Set {name} to e.g. 0.5.",
            )


def require_exponents(**given: float) -> None:
    """Refuses exponents that are not finite numbers of at least 0.

    Raises:
        TrainError: One is not; the message names it.
    """
    for name, value in given.items():
        if not (_is_number(value) and value >= 0):
            raise TrainError(
                f"exponent {name}",
                expected="a finite number of at least 0",
                found=shown(value),
                fix=f"Set {name} to e.g. 1.0.",
            )


def require_rounds(*, least: int, **given: int) -> None:
    """Refuses numbers of repetitions below ``least``, and those that would never end.

    Raises:
        TrainError: One is outside; the message names it.
    """
    for name, value in given.items():
        if not least <= value <= _ROUNDS:
            raise TrainError(
                f"hyper-parameter {name}",
                expected=f"a whole number from {least} to {_ROUNDS}",
                found=shown(value),
                fix=f"Set {name} to e.g. 3.",
            )


def require_neighbours(count: int) -> None:
    """Refuses numbers of neighbours below 1; more than there are rows means all of them.

    Raises:
        TrainError: It is below.
    """
    if count < 1:
        raise TrainError(
            "hyper-parameter neighbours",
            expected="a whole number of 1 or more",
            found=shown(count),
            fix="Set neighbours to e.g. 10.",
        )


def as_float(value: object) -> object:
    """A whole number where a float is meant as one; anything else, and too large ones, as it is."""
    if isinstance(value, int) and _is_number(value):
        return float(value)
    return value


def require_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuses a word that is none of the known ones.

    Raises:
        TrainError: It is not.
    """
    if value not in known:
        raise TrainError(
            f"hyper-parameter {name}",
            expected=f"one of {', '.join(known)}",
            found=shown(value),
            fix=f"Set {name} to {known[0]!r}.",
        )


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False
