"""Learning rate over steps: linear warm-up, then linear or cosine decay to zero, or constant."""

from __future__ import annotations

import math


def learning_rate_factor(
    step: int, *, total: int, warmup_ratio: float, schedule: str = "linear"
) -> float:
    """Factor on the base learning rate at a step.

    Args:
        step: 0-based step, below ``total``.
        total: Number of steps of the whole training.
        warmup_ratio: Share of steps spent rising; ceil(total · ratio) of them.
        schedule: ``"linear"``, ``"cosine"`` or ``"constant"`` after the warm-up.

    Returns:
        (step + 1) / warm-up while rising, so that no step is wasted at rate 0; 1 at the end of the
        warm-up; above 0 at the last step.
    """
    warmup = math.ceil(total * warmup_ratio)
    if step < warmup:
        return (step + 1) / warmup
    if schedule == "constant":
        return 1.0
    done = (step - warmup) / max(1, total - warmup)
    return 1.0 - done if schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
