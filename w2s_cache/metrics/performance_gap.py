"""Performance gap recovered."""

from __future__ import annotations


def performance_gap_recovered(method: float, weak: float, ceiling: float) -> float | None:
    """Share of the gap between weak model and strong ceiling that a method closes.

    PGR = (method − weak) / (ceiling − weak), Burns et al. 2023, "Weak-to-strong generalization",
    §3. 0 is as good as the weak model, 1 as good as the ceiling; values outside [0, 1] are
    kept: below 0 the method is worse than its supervisor, above 1 better than the ceiling.

    Args:
        method: Accuracy of the method, a fraction.
        weak: Accuracy of the weak model on the same rows, a fraction.
        ceiling: Accuracy of the strong model trained on ground truth, a fraction.

    Returns:
        The share, or None where there is no gap to recover (ceiling ≤ weak).
    """
    if ceiling <= weak:
        return None
    return (method - weak) / (ceiling - weak)
