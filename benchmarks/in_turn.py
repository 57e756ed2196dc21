"""Wall times of several ways to do one thing, taking turns so that all meet the same noise."""

from __future__ import annotations

import time
from collections.abc import Callable


def best_in_turn(*actions: Callable[[], object], repeats: int) -> list[float]:
    """Return the best wall time of each action in seconds."""
    best = [float("inf")] * len(actions)
    for _ in range(repeats):
        for place, action in enumerate(actions):
            began = time.perf_counter()
            action()
            best[place] = min(best[place], time.perf_counter() - began)
    return best
