"""Numbers that say how good predictions are; numpy only, fractions in [0, 1]."""

from __future__ import annotations

from w2s_cache.metrics.accuracy import accuracy
from w2s_cache.metrics.agreement import agreement
from w2s_cache.metrics.per_class import mean_per_class_recall, per_class_accuracy
from w2s_cache.metrics.performance_gap import performance_gap_recovered

__all__ = [
    "accuracy",
    "agreement",
    "mean_per_class_recall",
    "per_class_accuracy",
    "performance_gap_recovered",
]
