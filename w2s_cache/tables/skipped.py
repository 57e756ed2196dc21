"""How many images the runs of a table left out because they could not be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from w2s_cache.results import RunRecord

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


def skipped_sentences(skipped: Iterable[SkippedImages]) -> Iterator[str]:
    """Yields a sentence for each column that lacks images."""
    for lacks in skipped:
        said = [f"{lacks.test:,} of {lacks.of:,} test images"] if lacks.test else []
        if lacks.train:
            said.append(f"{lacks.train:,} training image{'s' if lacks.train > 1 else ''}")
        yield f"{lacks.column}: {' and '.join(said)} skipped, which could not be used."
