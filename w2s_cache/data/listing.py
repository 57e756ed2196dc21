"""A listing: the images of one domain, each with its label and its half of the official split.

Readers of the different layouts on disk end here. A listing knows nothing of file contents; the
index (`index_build`) adds sizes and hashes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from w2s_cache.counted import counted
from w2s_cache.errors import DataError

__all__ = ["Entry", "Listing", "Split", "make_listing"]

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One image.

    Args:
        path: Relative posix path below the data root.
        label: Position of its class in ``Listing.classes``.
        split: Half of the official split it belongs to.
    """

    path: str
    label: int
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The images of one domain.

    Args:
        dataset: Name of the data set.
        domain: Name of the domain.
        classes: Class names; position is label.
        entries: Sorted bytewise by path, no path twice.
        notes: Facts worth saying aloud, e.g. a class without a training image.
    """

    dataset: str
    domain: str
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]


def make_listing(
    dataset: str,
    domain: str,
    classes: Iterable[str],
    entries: Iterable[Entry],
    notes: Iterable[str] = (),
) -> Listing:
    """Sort the entries, refuse a path that occurs twice, and note classes without training images.

    Raises:
        DataError: If a path occurs twice, or a class has no test image.
    """
    names = tuple(classes)
    rows = tuple(sorted(entries, key=lambda entry: entry.path.encode()))
    _refuse_repeats(f"{dataset}/{domain}", rows)
    found = tuple(notes) + _check_classes(dataset, domain, names, rows)
    return Listing(dataset=dataset, domain=domain, classes=names, entries=rows, notes=found)


def _refuse_repeats(where: str, rows: tuple[Entry, ...]) -> None:
    for one, other in itertools.pairwise(rows):
        if one.path != other.path:
            continue
        halves = "train and test" if one.split != other.split else f"{one.split}, twice"
        raise DataError(
            f"{where}: image {one.path!r} is listed twice",
            expected="each image in one row, of train or of test",
            found=f"a row in {halves}",
            fix="Remove one of the two rows.",
        )


def _check_classes(
    dataset: str, domain: str, classes: tuple[str, ...], rows: tuple[Entry, ...]
) -> tuple[str, ...]:
    """Every class needs a test image; one without a training image is a note."""
    per_split = Counter((entry.label, entry.split) for entry in rows)
    notes = []
    for label, name in enumerate(classes):
        train, test = per_split[label, "train"], per_split[label, "test"]
        if not test:
            raise DataError(
                f"{dataset}/{domain}: class {label} {name!r} has no test image",
                expected="at least one test image for each of the "
                f"{counted(len(classes), 'class')} of {dataset}",
                found=f"{train} in train, none in test",
                fix="Complete the domain, or take the class out of the class list for all domains.",
            )
        if not train:
            notes.append(f"class {label} {name!r} has no row in {domain}_train")
    return tuple(notes)
