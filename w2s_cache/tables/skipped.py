"""How many images the runs of a table left out because they could not be used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from w2s_cache.counted import counted
from w2s_cache.results import RunRecord
from w2s_cache.store.index import Index

_CUT = ("fit", "val", "eval")  # what D_test is cut into, unless all of it is evaluated


@dataclass(frozen=True, kw_only=True, slots=True)
class SkippedImages:
    """What one column lacks.

    Args:
        column: What is printed above it.
        test: Images of the test half that were skipped.
        of: How many the test half has.
        train: Images of the training half that were skipped.
    """

    column: str
    test: int
    of: int
    train: int


def skipped_images(
    records: Iterable[RunRecord], label_of: Callable[[RunRecord], str]
) -> tuple[SkippedImages, ...]:
    """One entry for each column that lacks images, in the order of the records.

    Runs of one column have read the same features, so any of them tells.
    """
    found: dict[str, SkippedImages] = {}
    for record in records:
        counts = record.counts
        test, train = counts.get("skipped", 0), counts.get("skipped_train", 0)
        if record.status != "done" or not (test or train):
            continue
        parts = ("eval",) if record.protocol.get("eval_split") == "full-test" else _CUT
        of = test + sum(counts.get(part, 0) for part in parts)
        label = label_of(record)
        found.setdefault(label, SkippedImages(column=label, test=test, of=of, train=train))
    return tuple(found.values())


def skipped_of_indexes(
    indexes: Iterable[Index],
    skipped: Mapping[str, Collection[int]],
    label_of: Callable[[str], str],
) -> tuple[SkippedImages, ...]:
    """One entry for each cached domain that lacks images, in the order of the indexes.

    Args:
        indexes: One per domain.
        skipped: By domain, the rows whose images could not be used.
        label_of: What is printed above a domain's column.
    """
    found = []
    for index in indexes:
        rows = np.array(sorted(skipped.get(index.domain, ())), dtype=np.int64)
        if len(rows):
            train = int(index.is_train[rows].sum())
            entry = SkippedImages(
                column=label_of(index.domain),
                test=len(rows) - train,
                of=int((~index.is_train).sum()),
                train=train,
            )
            found.append(entry)
    return tuple(found)


def skipped_sentences(skipped: Iterable[SkippedImages]) -> Iterator[str]:
    """Yields a sentence for each column that lacks images."""
    for lacks in skipped:
        said = [f"{lacks.test:,} of {counted(lacks.of, 'test image')}"] if lacks.test else []
        if lacks.train:
            said.append(counted(lacks.train, "training image"))
        yield f"{lacks.column}: {' and '.join(said)} skipped, which could not be used."
