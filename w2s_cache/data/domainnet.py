"""DomainNet's layout: ``<domain>_train.txt`` and ``<domain>_test.txt`` beside the domain's folder.

    clipart_train.txt        clipart/aircraft_carrier/clipart_001_000001.jpg 0
    clipart_test.txt         clipart/The_Eiffel_Tower/clipart_309_000012.jpg 308
    clipart/<class>/*.jpg

The lists may lie in the data root or in its folder ``splits``. Labels come from the lists, class
names from the folder names in them; the two must agree one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from w2s_cache.command_line import command_line
from w2s_cache.counted import counted
from w2s_cache.data.class_agreement import refuse_disagreement
from w2s_cache.data.classes_domainnet import DOMAINS
from w2s_cache.data.listing import Entry, Listing, Split, make_listing
from w2s_cache.data.safe_paths import refuse_absent, unsafe_reason
from w2s_cache.data.spelling import composed, two_spellings
from w2s_cache.errors import DataError, UnknownNameError

__all__ = ["find_lists", "read_domainnet"]

_DIGITS = 6  # of a label: a million classes
_SHOWN = 200  # characters of a line in a message


def read_domainnet(
    root: Path,
    domain: str,
    *,
    dataset: str = "domainnet",
    classes: Sequence[str] | None = None,
    domains: Sequence[str] = DOMAINS,
    absent_allowed: bool = False,
) -> Listing:
    """List one domain from its two official lists.

    Args:
        root: The data root; paths in the lists are relative to it.
        domain: One of ``domains``.
        dataset: Name of the data set, for messages and the index.
        classes: The class names by label, from a spec or another domain; None takes what the lists
            hold, which must be what those of the other domains on disk hold. A class may lack
            training rows (a note), never test rows.
        domains: The domains the data set has.
        absent_allowed: Whether listed images may be absent.

    Raises:
        UnknownNameError: If the data set has no such domain.
        DataError: If folder, lists or images are absent, a line is malformed, a path is repeated or
            leaves the root, or labels and class names do not belong together.
    """
    if domain not in domains:
        raise UnknownNameError("domain", domain, domains)
    halves = find_lists(root, domain, dataset)
    entries = [row for half, path in halves.items() for row in _read_list(path, half, domain)]
    where = f"{dataset}/{domain}"
    names = _class_names(entries, classes, where)
    if classes is None:
        refuse_disagreement(root, domain, names, domains, dataset=dataset)
    listing = make_listing(dataset, domain, names, entries)
    paths = (entry.path for entry in listing.entries)
    fix = f"{_fetch(root, domain, dataset)} Or leave them out: extract with --on-error skip."
    refuse_absent(root, paths, where=where, fix=fix, allowed=absent_allowed)
    return listing


def find_lists(root: Path, domain: str, dataset: str = "domainnet") -> dict[Split, Path]:
    """The two lists of a domain, in the root or else in ``root/splits``.

    Raises:
        DataError: If the root or a list is absent.
    """
    names: dict[Split, str] = {"train": f"{domain}_train.txt", "test": f"{domain}_test.txt"}
    content = f"a folder with {names['train']}, {names['test']} and {domain}/<class>/<images>"
    fix = _fetch(root, domain, dataset)
    if not root.is_dir():
        raise DataError(
            f"{dataset}: data root {root}", expected=content, found="no such folder", fix=fix
        )
    for folder in (root, root / "splits"):
        found = {half: folder / name for half, name in names.items() if (folder / name).is_file()}
        if len(found) == 2:
            return found
        if found:
            absent = next(names[half] for half in names if half not in found)
            raise DataError(
                f"{dataset}: data root {root}",
                expected=content,
                found=f"one list without the other: no {absent} in {folder}",
                fix=fix,
            )
    raise DataError(
        f"{dataset}: data root {root}",
        expected=content,
        found="neither list, here or in 'splits'",
        fix=fix,
    )


def _fetch(root: Path, domain: str, dataset: str) -> str:
    if dataset != "domainnet":  # the only one that can be fetched
        return (
            "Correct --root, or give `--spec folder` for images in <root>/<domain>/<class>/ "
            "without lists."
        )
    return f"Run `{command_line('data', 'fetch', dataset, domain=domain, root=root)}`."


def _read_list(path: Path, half: Split, domain: str) -> list[Entry]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:#04x} at offset {error.start}"
        raise DataError(
            f"list {path}", expected="UTF-8 text", found=found, fix="Fetch the list again."
        ) from error
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    entries = [_parse(line, half, domain, f"{path}, line {number}") for number, line in numbered]
    if not entries:
        raise DataError(
            f"list {path}",
            expected="lines 'path label'",
            found="no line",
            fix="Fetch the list again.",
        )
    return entries


def _parse(line: str, half: Split, domain: str, where: str) -> Entry:
    """One row. The path ends at the last blank, so it may itself hold blanks."""
    path, _, label = line.rstrip().rpartition(" ")
    path = path.rstrip(" ")
    if not (label.isascii() and label.isdigit() and len(label) <= _DIGITS) or not path:
        raise DataError(
            where,
            expected=f"'path label' with a label of zero or more, at most {_DIGITS} digits",
            found=repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"),
            fix="Correct the line, or fetch the list again.",
        )
    reason = unsafe_reason(path)
    parts = path.split("/")
    if reason is None and (len(parts) < 3 or parts[0] != domain):
        reason = f"a path that is not {domain}/<class>/<file>"
    if reason is not None:
        raise DataError(
            where,
            expected=f"a plain relative path below {domain}/, inside the data root",
            found=f"{reason}: {path!r}",
            fix="Correct the line, or fetch the list again.",
        )
    return Entry(path=path, label=int(label), split=half)


def _class_names(
    entries: Sequence[Entry], known: Sequence[str] | None, where: str
) -> tuple[str, ...]:
    """The class of each label; label and folder must determine one another."""
    folder_of: dict[int, str] = {}
    label_of: dict[str, int] = {}
    for entry in entries:
        folder = entry.path.rsplit("/", 2)[-2]
        one, other = (
            folder_of.setdefault(entry.label, folder),
            label_of.setdefault(folder, entry.label),
        )
        if one != folder:
            raise _mismatch(where, f"label {entry.label} on two folders, {one!r} and {folder!r}")
        if other != entry.label:
            raise _mismatch(where, f"folder {folder!r} with two labels, {other} and {entry.label}")
    twice = two_spellings(label_of)
    if twice:
        labels = f"labels {label_of[twice[0]]} and {label_of[twice[1]]}"
        raise _mismatch(
            where, f"one class in two spellings, {twice[0]!r} and {twice[1]!r} ({labels})"
        )
    if known is None:
        return _contiguous(folder_of, where)
    for label, folder in sorted(folder_of.items()):
        name = known[label] if label < len(known) else None
        if name is None or composed(name) != composed(folder):
            right = (
                f"{name!r}" if name else f"no such label, there are {counted(len(known), 'class')}"
            )
            raise _mismatch(
                where, f"label {label} on folder {folder!r}; the class list says {right}"
            )
    return tuple(known)


def _contiguous(folder_of: dict[int, str], where: str) -> tuple[str, ...]:
    top = max(folder_of)
    gap = next((label for label in range(top) if label not in folder_of), None)
    if gap is not None:
        raise _mismatch(where, f"no row with label {gap}, though labels go up to {top}")
    return tuple(folder_of[label] for label in range(top + 1))


def _mismatch(where: str, found: str) -> DataError:
    return DataError(
        f"{where}: labels and class folders",
        expected="one folder name for each label, one label for each folder name, the same ones in "
        "both lists and in the class list",
        found=found,
        fix="Fetch the official lists again, or correct the class list.",
    )
