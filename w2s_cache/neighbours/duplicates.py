"""Near-duplicates: pairs of images of almost the same features, and what leaks into the test half.

An image of the test half that also lies in the training half is no test: the weak model was
fine-tuned on it, with its label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from w2s_cache.neighbours.search import Pairs

SPLITS = ("train", "test")
KINDS = ("train-train", "train-test", "test-test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """One pair, the smaller row first.

    Args:
        rows: Two row numbers.
        splits: Their halves, ``"train"`` or ``"test"``.
        cosine: Of their features.
        identical: Whether the two files have the same bytes.
    """

    rows: tuple[int, int]
    splits: tuple[str, str]
    cosine: float
    identical: bool

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return "-".join(sorted(self.splits, key=SPLITS.index))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What pairs of images come to.

    Args:
        pairs: Pairs by kind.
        identical: Those of them whose files have the same bytes.
        groups: Sets of images connected by pairs.
        images: Images in them.
        leaked: Test images with a near-duplicate in the training half.
        test: Images of the test half.
    """

    pairs: dict[str, int]
    identical: dict[str, int]
    groups: int
    images: int
    leaked: int
    test: int


def duplicates(
    pairs: Pairs, is_train: npt.NDArray[np.bool_], sha256: Sequence[str]
) -> list[Duplicate]:
    """Pairs of rows as pairs of images, in the same order.

    Args:
        pairs: Rows of features that are near.
        is_train: (n,) bool by row.
        sha256: (n,) digests of the files by row.
    """
    numbers = zip(pairs.first.tolist(), pairs.second.tolist(), pairs.cosines.tolist(), strict=True)
    return [
        Duplicate(
            rows=(first, second),
            splits=(SPLITS[not is_train[first]], SPLITS[not is_train[second]]),
            cosine=cosine,
            identical=sha256[first] == sha256[second],
        )
        for first, second, cosine in numbers
    ]


def leak(found: Sequence[Duplicate], is_train: npt.NDArray[np.bool_]) -> Leak:
    """Counts pairs, groups and leaked test images; (n,) bool says which rows are of train."""
    across = [pair for pair in found if pair.kind == "train-test"]
    leaked = {row for pair in across for row in pair.rows if not is_train[row]}
    groups, images = _connected([pair.rows for pair in found])
    return Leak(
        pairs={kind: sum(pair.kind == kind for pair in found) for kind in KINDS},
        identical={
            kind: sum(pair.kind == kind and pair.identical for pair in found) for kind in KINDS
        },
        groups=groups,
        images=images,
        leaked=len(leaked),
        test=int((~is_train).sum()),
    )


def _connected(edges: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """How many connected groups the edges make, and of how many members."""
    parent: dict[int, int] = {}

    def root(member: int) -> int:
        parent.setdefault(member, member)
        while parent[member] != member:
            parent[member] = member = parent[parent[member]]
        return member

    for one, other in edges:
        parent[root(one)] = root(other)
    return sum(root(member) == member for member in list(parent)), len(parent)
