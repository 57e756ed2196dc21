"""Predictions are exported beside the very features that their runs were made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from w2s_cache.results import RunRecord
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.train.current import features_of, refuse_outdated
from w2s_cache.train.held import inputs_of


def refuse_other_features(home: Path, found: FeatureSet, runs: Sequence[RunRecord]) -> None:
    """Checks that runs were made of a feature set: equal paths do not make equal images.

    Args:
        home: The cache home.
        found: The feature set.
        runs: Runs on its domain.

    Raises:
        StaleStoreError: Some were made of other images, features, logits or text.
        CorruptStoreError: What tells the images that were skipped is damaged.
    """
    features = dict.fromkeys(map(features_of, runs))
    refuse_outdated(
        runs, {names: inputs_of(home, found, anchored=names.anchored) for names in features}
    )
