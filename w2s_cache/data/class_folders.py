"""Class folders: ``<root>/<domain>/<class>/<images>``, the layout of OfficeHome and PACS.

There is no official split, so a seeded, stratified one is drawn. Domains and classes are matched
through all their spellings (``Real World``, ``Real_World``, ``RealWorld``); what is ignored on the
way is said in the notes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.data.listing import Entry, Listing, make_listing
from w2s_cache.data.safe_paths import refuse_absent, unsafe_reason
from w2s_cache.data.spelling import name_key
from w2s_cache.data.splits import draw_test_paths
from w2s_cache.errors import DataError, UnknownNameError

__all__ = ["IMAGE_SUFFIXES", "read_class_folders"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What the folders hold: ``domains`` and ``classes`` map a name to its folder.

    ``strays`` says how many other things lie beside a domain's class folders.
    """

    root: Path
    dataset: str
    domains: Mapping[str, Path]
    classes: Mapping[str, Mapping[str, Path]]
    strays: Mapping[str, int]


def read_class_folders(  # noqa: PLR0913  one keyword for each fact a spec may state
    root: Path,
    domain: str,
    *,
    dataset: str,
    domains: Sequence[str] = (),
    aliases: Mapping[str, Sequence[str]] | None = None,
    classes: Sequence[str] | None = None,
    test_fraction: float = 0.3,
    split_seed: int = 0,
    absent_allowed: bool = False,
) -> Listing:
    """List one domain of class folders and draw its test half.

    Args:
        root: The data root.
        domain: The domain to list.
        dataset: Name of the data set.
        domains: All domains; their class folders must agree. Empty: only ``domain`` is looked at.
        aliases: Further spellings of a domain's folder name, by domain.
        classes: The class names by label; None takes the folder names of the first domain (sorted),
            sorted bytewise.
        test_fraction: Share of each class that becomes test.
        split_seed: Seed of that draw.
        absent_allowed: Whether images may be links to nothing.

    Raises:
        UnknownNameError: If ``domain`` is not one of ``domains``.
        DataError: If folders are absent, doubled or disagree, or a path cannot be used.
    """
    known = sorted(domains) or [domain]
    if domain not in known:
        raise UnknownNameError("domain", domain, known)
    layout, notes = _scan(root, dataset, known, aliases or {})
    if layout.strays[domain]:  # those of other domains are said when they are listed
        stray = f"{layout.strays[domain]} file(s) and hidden folder(s)"
        notes.append(f"{stray} beside the classes of {domain} ignored")
    names = tuple(classes) if classes is not None else tuple(sorted(layout.classes[known[0]]))
    if not names:
        raise _class_error(layout, known[0], "no class folder")
    folders = {name: _class_folders(layout, name, names) for name in known}[domain]
    entries: list[Entry] = []
    ignored: Counter[str] = Counter()
    for label, (name, folder) in enumerate(zip(names, folders, strict=True)):
        paths = _images(root, folder, ignored)
        if not paths:
            raise _class_error(layout, domain, f"class folder {folder.name!r} without an image")
        test = draw_test_paths(
            paths, fraction=test_fraction, seed=split_seed, domain=domain, class_name=name
        )
        entries += [
            Entry(path=path, label=label, split="test" if path in test else "train")
            for path in paths
        ]
    notes += [f"{count} {what} ignored in {domain}" for what, count in sorted(ignored.items())]
    listing = make_listing(dataset, domain, names, entries, notes)
    refuse_absent(
        root,
        (entry.path for entry in listing.entries),
        where=f"{dataset}/{domain}",
        fix="Remove the broken links.",
        allowed=absent_allowed,
    )
    return listing


def _scan(
    root: Path, dataset: str, domains: Sequence[str], aliases: Mapping[str, Sequence[str]]
) -> tuple[_Layout, list[str]]:
    """Find the folder of each domain and the class folders in it."""
    if not root.is_dir():
        raise DataError(
            f"{dataset}: data root {root}",
            expected=f"a folder with {', '.join(domains)}, each with one folder per class",
            found="no such folder",
            fix="Download the data set and name its folder with '--root'.",
        )
    folders, _ = _subfolders(root)
    found = {name: _domain_folder(root, dataset, name, folders, aliases) for name in domains}
    others = sorted(set(folders) - set(found.values())) if len(domains) > 1 else []
    notes = [f"folder {path.name!r} is no domain of {dataset}, ignored" for path in others]
    classes: dict[str, Mapping[str, Path]] = {}
    strays: dict[str, int] = {}
    for name, folder in found.items():
        inside, stray = _subfolders(folder)
        classes[name] = {path.name: path for path in inside}
        strays[name] = stray
    layout = _Layout(root=root, dataset=dataset, domains=found, classes=classes, strays=strays)
    return layout, notes


def _domain_folder(
    root: Path,
    dataset: str,
    domain: str,
    folders: Sequence[Path],
    aliases: Mapping[str, Sequence[str]],
) -> Path:
    keys = {name_key(name) for name in (domain, *aliases.get(domain, ()))}
    matching = [folder for folder in folders if name_key(folder.name) in keys]
    if len(matching) == 1:
        return matching[0]
    shown = ", ".join(repr(folder.name) for folder in matching or folders) or "no folder"
    fix = (
        "Rename or merge one of the two."
        if matching
        else (f"Complete the data set, or point --root at the folder that holds {domain!r}.")
    )
    raise DataError(
        f"{dataset}: domain {domain} in {root}",
        expected="one folder of that name, in any spelling",
        found=f"{len(matching)} folders, {shown}" if matching else f"none among {shown}",
        fix=fix,
    )


def _class_folders(layout: _Layout, domain: str, names: Sequence[str]) -> list[Path]:
    """The folder of each class in one domain, in the order of ``names``."""
    by_key: dict[str, Path] = {}
    for folder_name, folder in layout.classes[domain].items():
        twin = by_key.setdefault(name_key(folder_name), folder)
        if twin is not folder:
            found = f"one class in two spellings, {twin.name!r} and {folder_name!r}"
            raise _class_error(layout, domain, found)
    wanted = {name_key(name): name for name in names}
    if len(wanted) != len(names):
        raise _class_error(layout, domain, "a class list that names one class twice")
    missing = [name for key, name in wanted.items() if key not in by_key]
    extra = [folder.name for key, folder in by_key.items() if key not in wanted]
    if missing or extra:
        parts = [("no folder for", missing), ("a folder that is no class,", extra)]
        said = [f"{what} {', '.join(map(repr, which))}" for what, which in parts if which]
        raise _class_error(layout, domain, " and ".join(said))
    return [by_key[key] for key in wanted]


def _class_error(layout: _Layout, domain: str, found: str) -> DataError:
    return DataError(
        f"{layout.dataset}/{domain}: class folders below {layout.root}",
        expected="the same classes in every domain, each one folder with images",
        found=found,
        fix="Rename, merge or complete the folders, or correct the class list.",
    )


def _subfolders(folder: Path) -> tuple[list[Path], int]:
    """Visible folders in byte order, and how many other things there are."""
    inside = sorted(folder.iterdir(), key=bytes)
    shown = [path for path in inside if path.is_dir() and not path.name.startswith(".")]
    return shown, len(inside) - len(shown)


def _images(root: Path, folder: Path, ignored: Counter[str]) -> list[str]:
    """Relative posix paths of the images of one class; counts what it passes over."""
    paths = []
    for file in sorted(folder.iterdir(), key=bytes):
        path = file.relative_to(root).as_posix()
        if file.name.startswith("."):
            ignored["hidden file(s)"] += 1
        elif file.is_dir():
            ignored["folder(s) inside class folders"] += 1
        elif file.suffix.lower() not in IMAGE_SUFFIXES:
            ignored["file(s) without an image suffix"] += 1
        elif (reason := unsafe_reason(path)) is not None:
            raise DataError(
                f"image {path!r}",
                expected="a plain path in UTF-8",
                found=reason,
                fix="Rename the file.",
            )
        else:
            paths.append(path)
    return paths
