"""Whether the values of a manifest fit together, one sentence for each that does not."""

from __future__ import annotations

from typing import Final

from w2s_cache.store.grid import on_grid, shard_file
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
    if problem := _size_problem(manifest):
        return [problem]
    rows, shard_rows, problems, reached = manifest.rows, manifest.shard_rows, [], 0
    for shard in manifest.shards:
        if not on_grid(shard.start, shard.stop, rows=rows, shard_rows=shard_rows):
            problems.append(
                f"shard {shard.file!r} of rows {shard.start}..{shard.stop} is off the grid"
            )
        elif shard.file != shard_file(shard.start, shard_rows):
            problems.append(f"shard of rows {shard.start}..{shard.stop} is named {shard.file!r}")
        if shard.start < reached:
            problems.append(f"shard {shard.file!r} overlaps or precedes the one before it")
        reached = max(reached, shard.stop)
    return problems


def uncovered_rows(manifest: Manifest) -> list[str]:
    """Say which rows are in no shard, one sentence for each gap.

    A manifest whose sizes are refused has none: how much of an impossible store is absent means
    nothing.
    """
    if _size_problem(manifest):
        return []
    rows, gaps, reached = manifest.rows, [], 0
    ranges = sorted({(shard.start, shard.stop) for shard in manifest.shards})
    for start, stop in (*ranges, (rows, rows)):
        if start > reached:
            gaps.append(f"rows {reached}..{start} are in no shard")
        if on_grid(start, stop, rows=rows, shard_rows=manifest.shard_rows):
            reached = stop
    return gaps


def _size_problem(manifest: Manifest) -> str:
    """Why no store has these sizes; empty when one may."""
    if manifest.shard_rows < 1 or manifest.rows < 1:
        return f"{manifest.shard_rows} rows per shard of {manifest.rows} rows"
    if manifest.rows > MAX_ROWS or manifest.rows // manifest.shard_rows > MAX_SHARDS:
        return f"{manifest.rows} rows in shards of {manifest.shard_rows}, more than a store has"
    return ""


def _array_problem(kind: str, rule: ArrayRule | None, spec: ArraySpec) -> list[str]:
    if rule is None:
        return [f"array {spec.name!r}, unknown to kind {kind!r}"]
    problems = []
    if len(spec.row_shape) != rule.rank or min(spec.row_shape, default=0) < 1:
        problems.append(f"array {spec.name!r} of row shape {spec.row_shape}, not rank {rule.rank}")
    if spec.dtype not in rule.dtypes:
        problems.append(f"array {spec.name!r} of dtype {spec.dtype}, none of {rule.dtypes}")
    return problems
