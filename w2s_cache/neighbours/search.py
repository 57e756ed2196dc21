"""Nearest rows by cosine: the same answer from every index that looks at all rows.

An index only names candidates. Their cosines are computed anew in double precision, one pair like
any other, and ordered by (cosine descending, row ascending). Where the last candidate is so near
that another row may tie with it, the query is compared with all rows. So neither library, block
size, threads nor copies of an image change what is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import NeighbourError
from w2s_cache.neighbours.candidates import Candidates

TOLERANCE = 1e-5
"""What single precision may be off in a cosine of up to some thousand numbers, and more."""

_QUERIES = 1_024  # searched at a time
_SPARE = 8  # candidates beyond those asked for, so that few queries have to be compared with all
_PAIR_NUMBERS = 1 << 22  # double-precision numbers of compared pairs held at a time, 32 MB
_BLOCK_COSINES = 1 << 26  # cosines a block of queries may have above a threshold

Advance = Callable[[int], object]
"""Is told, now and then, how many more queries were answered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """The nearest rows of each query, nearest first.

    Args:
        rows: (q, m) int64.
        cosines: (q, m) float32, in [−1, 1].
    """

    rows: Tensor
    cosines: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Pairs of rows, nearest first, then by row numbers; (p,) each.

    Args:
        first: int64, the smaller row.
        second: int64, the larger row.
        cosines: float32, in [−1, 1].
    """

    first: Tensor
    second: Tensor
    cosines: Tensor


def unit(features: Tensor) -> Tensor:
    """Raw features (n, d) → float32 unit rows on the CPU, what indexes and searches take."""
    return functional.normalize(features.detach().cpu().float(), dim=-1).contiguous()


def nearest(
    index: Candidates,
    base: Tensor,
    queries: Tensor,
    count: int,
    *,
    skip: Tensor | None = None,
    advance: Advance = int,
) -> Neighbours:
    """The rows of highest cosine; among equals the smaller row number.

    Args:
        index: Made of ``base``.
        base: (n, d) float32 unit rows.
        queries: (q, d) float32 unit rows.
        count: How many, ≥ 0; as many as there are where there are fewer.
        skip: (q,) int64, a row that is no answer to the query, its own.
        advance: Called after every block.

    Returns:
        min(count, n) rows each, one less where ``skip`` takes one away.
    """
    skipped = torch.full((len(queries),), -1) if skip is None else skip
    count = min(count, len(base) - (skip is not None))
    blocks = []
    for start in range(0, len(queries), _QUERIES):
        block = queries[start : start + _QUERIES]
        blocks.append(_block(index, base, block, count, skipped[start : start + _QUERIES]))
        advance(len(block))
    empty = torch.empty((0, count))
    return Neighbours(
        rows=torch.cat([empty.long(), *(rows for rows, _ in blocks)]),
        cosines=_reported(torch.cat([empty, *(cosines for _, cosines in blocks)])),
    )


def pairs_above(
    index: Candidates, base: Tensor, threshold: float, *, most: int, advance: Advance = int
) -> Pairs:
    """All pairs of rows whose cosine is at least ``threshold``.

    Args:
        index: Made of ``base``; an approximate one may miss pairs.
        base: (n, d) float32 unit rows.
        threshold: In [−1, 1].
        most: Refuse when there are more pairs.
        advance: Called after every block.

    Raises:
        NeighbourError: More than ``most`` pairs.
    """
    size = max(1, min(_QUERIES, _BLOCK_COSINES // max(len(base), 1)))
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    total = 0
    for start in range(0, len(base), size):
        numbers, second = index.above(base[start : start + size], threshold - TOLERANCE)
        first = numbers + start
        later = second > first
        first, second = first[later], second[later]
        cosines = _pair_cosines(base[first], base, second.unsqueeze(-1)).squeeze(-1)
        enough = cosines >= threshold
        found.append((first[enough], second[enough], cosines[enough]))
        total += int(enough.sum())
        if total > most:
            raise _too_many(most, threshold)
        advance(len(base[start : start + size]))
    first, second, cosines = (torch.cat(parts) for parts in zip(*found, strict=True))
    order = (first * len(base) + second).argsort()
    order = order[(-cosines[order]).argsort(stable=True)]
    return Pairs(first=first[order], second=second[order], cosines=_reported(cosines[order]))


def _block(
    index: Candidates, base: Tensor, queries: Tensor, count: int, skip: Tensor
) -> tuple[Tensor, Tensor]:
    """Rows and double-precision cosines (q, count) of one block of queries."""
    pool = min(len(base), count + 1 + _SPARE)
    named = index.top(queries, pool)
    cosines = _pair_cosines(queries, base, named)
    usable = (named >= 0) & (named != skip.unsqueeze(-1))
    cosines = cosines.masked_fill(~usable, -torch.inf)
    rows, cosines = _ordered(named, cosines)
    unsure = usable.sum(-1) < count
    if index.exact and count and pool < len(base):
        last = cosines.masked_fill(cosines == -torch.inf, torch.inf).amin(-1)
        unsure |= cosines[:, count - 1] - last < TOLERANCE
    rows, cosines = rows[:, :count].clone(), cosines[:, :count].clone()
    for number in unsure.nonzero().flatten().tolist():
        rows[number], cosines[number] = _among_all(base, queries[number], count, int(skip[number]))
    return rows, cosines


def _among_all(base: Tensor, query: Tensor, count: int, skip: int) -> tuple[Tensor, Tensor]:
    """The same for one query (d,), compared with every row."""
    rough = base @ query
    if skip >= 0:
        rough[skip] = -torch.inf
    least = rough.topk(count).values[-1:].sum() - TOLERANCE
    named = (rough >= least).nonzero().flatten()
    cosines = _pair_cosines(query.expand(len(named), -1), base, named.unsqueeze(-1))
    rows, ordered = _ordered(named.unsqueeze(0), cosines.T)
    return rows[0, :count], ordered[0, :count]


def _ordered(rows: Tensor, cosines: Tensor) -> tuple[Tensor, Tensor]:
    """Both (q, m), by cosine descending, then by row."""
    rows, order = rows.sort(dim=-1)
    cosines, places = cosines.gather(-1, order).sort(dim=-1, descending=True, stable=True)
    return rows.gather(-1, places), cosines


def _pair_cosines(queries: Tensor, base: Tensor, rows: Tensor) -> Tensor:
    """Double-precision cosines (q, m) of each query (q, d) with its own rows (q, m) of the base."""
    result = torch.empty(rows.shape, dtype=torch.float64)
    size = max(1, _PAIR_NUMBERS // max(rows.shape[1] * base.shape[1], 1))
    for start in range(0, len(rows), size):
        block = rows[start : start + size].clamp_min(0)
        products = base[block].double() * queries[start : start + size].double().unsqueeze(1)
        result[start : start + size] = products.sum(dim=-1)
    return result


def _reported(cosines: Tensor) -> Tensor:
    """Cosines in single precision, what rounding of the unit rows leads beyond ±1 set to ±1.

    It is the last step: order and threshold go by what was computed.
    """
    return cosines.float().clamp(-1, 1)


def _too_many(most: int, threshold: float) -> NeighbourError:
    return NeighbourError(
        f"too many pairs of cosine {threshold:g} or more",
        expected=f"at most {most:,}",
        found="more",
        fix="Raise the threshold.",
    )
