"""Numbers that say how good predictions are, and how sure; numpy and scipy, fractions."""

from __future__ import annotations

from w2s_cache.metrics.accuracy import accuracy
from w2s_cache.metrics.agreement import agreement
from w2s_cache.metrics.estimate import Estimate, GapEstimate, estimate_difference, estimate_gap
from w2s_cache.metrics.image_bootstrap import Resampled, resample_images
from w2s_cache.metrics.mcnemar import McNemar, mcnemar
from w2s_cache.metrics.outcomes import Outcomes, gather_outcomes
from w2s_cache.metrics.per_class import mean_per_class_recall, per_class_accuracy
from w2s_cache.metrics.performance_gap import performance_gap_recovered

__all__ = [
    "Estimate",
    "GapEstimate",
    "McNemar",
    "Outcomes",
    "Resampled",
    "accuracy",
    "agreement",
    "estimate_difference",
    "estimate_gap",
    "gather_outcomes",
    "mcnemar",
    "mean_per_class_recall",
    "per_class_accuracy",
    "performance_gap_recovered",
    "resample_images",
]
