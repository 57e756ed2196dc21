"""How one run is trained: the recipe, stored verbatim in its record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """The trainer's settings; defaults are the paper's (Li et al., §4.1).

    Attributes:
        optimizer: ``"adam"``, ``"adamw"`` or ``"sgd"`` (momentum 0.9).
        lr: Base learning rate per step.
        weight_decay: L2 penalty (decoupled for adamw).
        epochs: Passes over the fit rows.
        batch_size: Rows per step; the last batch of an epoch may be smaller.
        warmup_ratio: Share of steps with rising rate.
        schedule: ``"linear"``, ``"cosine"`` or ``"constant"``.
        select: ``"weak-agreement"`` keeps the first epoch with the best agreement with the
            supervision on val, ``"last"`` the last, ``"oracle"`` the best by ground truth.
    """

    optimizer: str = "adam"
    lr: float = 1e-2
    weight_decay: float = 0.0
    epochs: int = 10
    batch_size: int = 512
    warmup_ratio: float = 0.1
    schedule: str = "linear"
    select: str = "weak-agreement"
