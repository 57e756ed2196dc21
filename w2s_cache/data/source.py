"""From a spec to the rows of a domain: which reader, which root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from w2s_cache.data.class_folders import read_class_folders
from w2s_cache.data.depth import refuse_wrong_depth
from w2s_cache.data.domainnet import read_domainnet
from w2s_cache.data.listing import Listing
from w2s_cache.errors import DataError, UnknownNameError
from w2s_cache.spec import DataSpec

POCKET_FOLDER = "pocket-images"


def data_root(
    data: DataSpec,
    *,
    given: str | None,
    home: Path,
    progress: Callable[[int], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> Path:
    """The folder a data set's paths are relative to; draws the embedded data set if need be.

    Args:
        data: The spec's section.
        given: What the user asked for; comes before the spec's ``root``.
        home: The cache home, where the embedded data set is drawn.
        progress: Called with the number of drawings just done.
        announce: Called with a sentence before anything is drawn.

    Raises:
        DataError: No root is known, or it does not exist.
        StoreWriteError: The embedded data set cannot be drawn there.
    """
    named = given or data.root
    if named is None and data.source == "pocket":
        from w2s_cache.data.pocket import write_pocket

        root = home / POCKET_FOLDER
        write_pocket(root, progress=progress, announce=announce)
        return root
    if named is None:
        raise DataError(
            "no data root",
            expected="the folder that holds the images",
            found="neither --root nor `root` in the spec",
            fix="Add `--root DIR`.",
        )
    root = Path(named).expanduser()
    if not root.is_dir():
        raise DataError(
            f"data root {root}",
            expected="a folder",
            found="a file" if root.exists() else "no such folder",
            fix="Correct --root, or fetch the data set first.",
        )
    return root


def list_domains(data: DataSpec, root: Path) -> tuple[str, ...]:
    """The domains a spec names, or, where it names none, the folders below the root.

    Raises:
        DataError: There is no folder, or the root is a level above or below the domains.
    """
    if data.domains:
        return data.domains
    folders = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not folders:
        raise DataError(
            f"data root {root}",
            expected="one folder per domain, in each one folder per class",
            found="no folder",
            fix="Correct --root.",
        )
    refuse_wrong_depth(root, folders)
    return tuple(folders)


def list_domain(
    data: DataSpec, dataset: str, root: Path, domain: str, *, absent_allowed: bool = False
) -> Listing:
    """The rows of one domain, by the reader the spec names; files may be absent where allowed.

    Raises:
        UnknownNameError: The data set has no such domain.
        DataError: The folder is not what the reader expects.
    """
    domains = list_domains(data, root)
    if domain not in domains:
        raise UnknownNameError("domain", domain, domains)
    if data.format == "domainnet":
        return read_domainnet(
            root,
            domain,
            dataset=dataset,
            classes=data.classes,
            domains=domains,
            absent_allowed=absent_allowed,
        )
    return read_class_folders(
        root,
        domain,
        dataset=dataset,
        domains=domains,
        aliases=data.aliases,
        classes=data.classes,
        test_fraction=data.test_fraction,
        split_seed=data.split_seed,
        absent_allowed=absent_allowed,
    )
