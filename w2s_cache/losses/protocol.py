"""What training asks of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

Targets = Mapping[str, Tensor]


class Loss(Protocol):
    """Compares a head's logits with supervision.

    What depends on the supervision alone is computed once over all rows (``targets``), so that a
    training step touches only what changes. A loss that sets the class variable ``stackable`` also
    takes logits and targets of several runs, with one leading dimension more, and answers one
    number for each; without it every run is trained alone.
    """

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """Supervision logits (n, k) → tensors with n rows, each a function of its own row."""
        ...

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:
        """Logits (batch, k) and their targets → scalar in nats, mean over the batch.

        ``progress`` is the fraction of training done, in [0, 1), for losses with a schedule.
        """
        ...


@runtime_checkable
class Graded(Protocol):
    """A loss that knows its gradient, which spares training the automatic one's expense."""

    def value_and_gradient(
        self, logits: Tensor, targets: Targets, *, progress: float
    ) -> tuple[Tensor, Tensor]:
        """The loss, and its gradient by the logits in their shape, in memory of its own."""
        ...


@runtime_checkable
class Survey(Protocol):
    """A loss that looks at the logits of all rows where an epoch begins."""

    @property
    def surveys(self) -> bool:
        """Whether these hyper-parameters need it; the look costs one forward pass over all rows."""
        ...

    def survey(self, logits: Tensor, targets: Targets) -> dict[str, Tensor]:
        """Logits (n, k) and targets of all rows → tensors added to every batch's targets."""
        ...


class Stackable(Protocol):
    """A head or a loss that works on several runs at once."""

    stackable: ClassVar[bool]


def stackable(*parts: object) -> bool:
    """Whether all of them say so."""
    return all(getattr(part, "stackable", False) is True for part in parts)


def linear_ramp(progress: float, share: float) -> float:
    """Rises from 0 to 1 over the first ``share`` of training and stays; share 0 is no ramp."""
    return 1.0 if progress >= share else progress / share
