"""What training asks of a head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from w2s_cache.errors import TrainError

Parameters = Mapping[str, Tensor]
Pull = Callable[[Tensor], dict[str, Tensor]]


class Head(Protocol):
    """A classifier over frozen features.

    A head that sets the class variable ``stackable`` also takes parameters and features of several
    runs, with one leading dimension more, and answers logits (runs, batch, k); without it every
    run is trained alone.
    """

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) float32 → what the head works on (n, d), row by row; done once."""
        ...

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """Prepared features (batch, d) → logits (batch, k)."""
        ...


@runtime_checkable
class Differentiated(Protocol):
    """A head that knows its derivative, which spares training the automatic one's expense."""

    def logits_and_pull(self, parameters: Parameters, prepared: Tensor) -> tuple[Tensor, Pull]:
        """The logits, and what takes a gradient by them to gradients by each parameter's name."""
        ...


@runtime_checkable
class Keeping(Protocol):
    """A head whose parameters are too many to be kept with every run."""

    def kept(self, parameters: Parameters) -> dict[str, Tensor]:
        """What is kept instead."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StartInputs:
    """What a head's parameters may begin from; all of it is known without test labels.

    Attributes:
        head: The head that begins.
        features: (n, d) float32, prepared features of the fit rows.
        weak_logits: (n, k) float32, the supervision's logits on the same rows.
        text: (k, d) float32 unit rows, class text features; None without a text tower.
        logit_scale: The strong model's factor on cosines; None without a text tower.
        generator: CPU generator, source of every random number.
    """

    head: Head
    features: Tensor
    weak_logits: Tensor
    text: Tensor | None
    logit_scale: float | None
    generator: torch.Generator


class Start(Protocol):
    """How a head's parameters begin; a frozen dataclass whose fields are hyper-parameters.

    A start that sets the class variable ``rowless`` reads nothing of features and weak logits but
    their widths: it gets them without rows, (0, d) and (0, k).
    """

    needs_text: ClassVar[bool]

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """Initial parameters by name, in memory of their own."""
        ...


def reads_no_rows(start: Start) -> bool:
    """Whether a start says that it needs the widths of features and weak logits only."""
    return getattr(start, "rowless", False) is True


def require_text(inputs: StartInputs) -> Tensor:
    """The class text features (k, d), unit rows.

    Raises:
        TrainError: The encoder has no text tower.
    """
    if inputs.text is None:
        raise TrainError(
            "a head cannot start from text",
            expected="an encoder with a text tower",
            found="an image-only encoder",
            fix="Start from class means ('cpl-class-means') or at random ('cpl-random'), or set "
            "`anchors` in the encoder's section of the spec.",
        )
    return inputs.text
