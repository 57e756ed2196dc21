"""Whether a root holds domains: one level too high or too low is said as such."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import quote

from w2s_cache.data.class_folders import IMAGE_SUFFIXES
from w2s_cache.errors import DataError


def refuse_wrong_depth(root: Path, folders: Sequence[str]) -> None:
    """Checks that images lie two folders below a root: ``<root>/<domain>/<class>/*``.

    Looks no further than the first image of the right depth.

    Args:
        root: The data root.
        folders: Names of the folders in it, which should be domains.

    Raises:
        DataError: Images lie one folder below the root, or three and not two.
    """
    inside = [root / name for name in folders]
    if any(_holds_image(folder) for folder in _subfolders(inside)):
        return
    if any(map(_holds_image, inside)):
        raise _wrong(
            root,
            "classes",
            "one folder",
            f"one level up: --root {quote(str(root.absolute().parent))}",
        )
    for folder in _subfolders(inside):
        if any(_holds_image(deeper) for deeper in _subfolders([folder])):
            raise _wrong(
                root,
                "data sets",
                "three folders",
                f"one level down: --root {quote(str(folder.parent))}",
            )


def _subfolders(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        inside = sorted(folder.iterdir())
        yield from (path for path in inside if path.is_dir() and not path.name.startswith("."))


def _holds_image(folder: Path) -> bool:
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.iterdir())


def _wrong(root: Path, holds: str, depth: str, where: str) -> DataError:
    return DataError(
        f"data root {root} holds {holds}, not domains",
        expected="<root>/<domain>/<class>/<images>",
        found=f"images {depth} below it",
        fix=f"Point --root {where}.",
    )
