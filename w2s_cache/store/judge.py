"""Whether the values of a manifest fit together, one sentence for each that does not."""

from __future__ import annotations

from typing import Final

from w2s_cache.store.grid import shard_file, shard_ranges
from w2s_cache.store.kinds import KINDS, ArrayRule
from w2s_cache.store.layout import ArraySpec, Manifest

MAX_ROWS: Final = 1 << 40
MAX_SHARDS: Final = 1 << 20
"""No store of images comes near these; larger claims would cost memory before they are refused."""


def array_problems(manifest: Manifest) -> list[str]:
    """Say where rows, kind and arrays do not fit together; empty when they do."""
    problems = [] if manifest.rows >= 1 else [f"{manifest.rows} rows"]
    if manifest.kind not in KINDS:
        return [*problems, f"kind {manifest.kind!r}, none of {', '.join(KINDS)}"]
    rules, names = KINDS[manifest.kind], [spec.name for spec in manifest.arrays]
    if len(set(names)) != len(names):
        problems.append(f"array names that repeat: {', '.join(names)}")
    problems += [f"no array {n!r}" for n, rule in rules.items() if rule.required and n not in names]
    for spec in manifest.arrays:
        problems += _array_problem(manifest.kind, rules.get(spec.name), spec)
    return problems


def shard_problems(manifest: Manifest) -> list[str]:
    """Say which shards are off the grid of ``shard_rows``, misnamed, out of order or doubled."""
    if manifest.shard_rows < 1 or manifest.rows < 1:
        return [f"{manifest.shard_rows} rows per shard of {manifest.rows} rows"]
    if manifest.rows > MAX_ROWS or manifest.rows // manifest.shard_rows > MAX_SHARDS:
        return [f"{manifest.rows} rows in shards of {manifest.shard_rows}, more than a store has"]
    grid, problems, reached = set(shard_ranges(manifest.rows, manifest.shard_rows)), [], 0
    for shard in manifest.shards:
        if (shard.start, shard.stop) not in grid:
            problems.append(
                f"shard {shard.file!r} of rows {shard.start}..{shard.stop} is off the grid"
            )
        elif shard.file != shard_file(shard.start, manifest.shard_rows):
            problems.append(f"shard of rows {shard.start}..{shard.stop} is named {shard.file!r}")
        if shard.start < reached:
            problems.append(f"shard {shard.file!r} overlaps or precedes the one before it")
        reached = max(reached, shard.stop)
    return problems


def _array_problem(kind: str, rule: ArrayRule | None, spec: ArraySpec) -> list[str]:
    if rule is None:
        return [f"array {spec.name!r}, unknown to kind {kind!r}"]
    problems = []
    if len(spec.row_shape) != rule.rank or min(spec.row_shape, default=0) < 1:
        problems.append(f"array {spec.name!r} of row shape {spec.row_shape}, not rank {rule.rank}")
    if spec.dtype not in rule.dtypes:
        problems.append(f"array {spec.name!r} of dtype {spec.dtype}, none of {rule.dtypes}")
    return problems
