"""Whether the domains of a data set with list files mean the same class by the same label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from w2s_cache.data.spelling import composed
from w2s_cache.errors import DataError

__all__ = ["refuse_disagreement"]

_MAX_DIGITS = 10  # more make no label


def refuse_disagreement(
    root: Path, domain: str, classes: Sequence[str], domains: Sequence[str], *, dataset: str
) -> None:
    """Compare the classes of a domain with those of the other domains whose lists are on disk.

    Args:
        root: The data root; lists lie in it or in its folder ``splits``.
        domain: The domain that was read.
        classes: Its class names by label.
        domains: All domains of the data set.
        dataset: Name of the data set, for the message.

    Raises:
        DataError: If another domain has another name for a label, or has another set of labels. A
            label that only one of a domain's two lists lacks is in the domain.
    """
    for other in domains:
        if other == domain:
            continue
        lists = _lists(root, other)
        names = {label: name for file in lists for label, name in _label_names(file)}
        for label, name in enumerate(classes):
            if composed(names.get(label, name)) != composed(name):
                raise _disagreement(dataset, label, (domain, repr(name)), (other, names[label]))
        if len(lists) == 2:  # a single list may lack classes
            lacking = next((label for label in range(len(classes)) if label not in names), None)
            if lacking is not None:
                mine = domain, repr(classes[lacking])
                raise _disagreement(dataset, lacking, mine, (other, None))
        further = sorted(label for label in names if label >= len(classes))
        if further:
            mine = domain, "no such label"
            raise _disagreement(dataset, further[0], mine, (other, names[further[0]]))


def _lists(root: Path, domain: str) -> list[Path]:
    names = (f"{domain}_train.txt", f"{domain}_test.txt")
    for folder in (root, root / "splits"):
        found = [folder / name for name in names if (folder / name).is_file()]
        if found:
            return found
    return []


def _label_names(file: Path) -> set[tuple[int, str]]:
    """(label, class folder) of the rows; lines of another form are for that domain's reader."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        return set()
    found: set[tuple[int, str]] = set()
    for line in lines:
        path, _, label = line.rstrip().rpartition(" ")
        parts = path.rsplit("/", 2)
        if len(parts) == 3 and label.isascii() and label.isdigit() and len(label) < _MAX_DIGITS:
            found.add((int(label), parts[1]))
    return found


def _disagreement(
    dataset: str, label: int, one: tuple[str, str], other: tuple[str, str | None]
) -> DataError:
    said = "no such label" if other[1] is None else repr(other[1])
    return DataError(
        f"{dataset}: label {label} is not the same class in all domains",
        expected="one class name for each label in all domains, the same labels in each",
        found=f"{one[1]} in {one[0]}, {said} in {other[0]}",
        fix="Correct the lists, or leave one of the two out of `domains`.",
    )
