"""What training asks of a loss, and what a loss asks of its options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from w2s_cache.errors import TrainError

Targets = Mapping[str, Tensor]


class Loss(Protocol):
    """Compares a head's logits with supervision.

    What depends on the supervision alone is computed once over all rows (``targets``), so that a
    training step touches only what changes.
    """

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """Supervision logits (n, k) → tensors with n rows, indexed by batch afterwards."""
        ...

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:
        """Logits (batch, k) and their targets → scalar in nats, mean over the batch.

        ``progress`` is the fraction of training done, in [0, 1), for losses with a schedule.
        """
        ...


def linear_ramp(progress: float, share: float) -> float:
    """Rises from 0 to 1 over the first ``share`` of training and stays; share 0 is no ramp."""
    return 1.0 if progress >= share else progress / share


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
                found=repr(value),
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
                f"loss option {name}",
                expected="a number in [0, 1]",
                found=repr(value),
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
                found=repr(value),
                fix=f"Set {name} to e.g. 1.0.",
            )


def require_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuses a word that is none of the known ones.

    Raises:
        TrainError: It is not.
    """
    if value not in known:
        raise TrainError(
            f"loss option {name}",
            expected=f"one of {', '.join(known)}",
            found=repr(value),
            fix=f"Set {name} to {known[0]!r}.",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
