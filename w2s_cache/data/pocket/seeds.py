"""Which seeds are for what: three ranges that share nothing, so that no picture is seen twice."""

from __future__ import annotations

TRAIN_SEEDS = range(1_000_000)
TEST_SEEDS = range(1_000_000, 2_000_000)
CLIP_SEEDS = range(2_000_000, 3_000_000)
