"""Nothing outside a cache home is ever removed or written, whatever links and names say."""

from __future__ import annotations

import os
from pathlib import Path

from w2s_cache.errors import StoreError


def inside(home: Path, path: Path) -> bool:
    """Whether a path, links followed, lies below the stores of a cache home."""
    base = os.path.realpath(home / "v1")
    return os.path.realpath(path).startswith(base.rstrip(os.sep) + os.sep)


def below(home: Path, named: Path) -> str:
    """The posix path below the home of something a person named.

    Args:
        home: The cache home.
        named: An existing path, absolute, relative to here, or relative to the home.

    Raises:
        StoreError: It does not exist, lies outside the home's stores, or a link leads there.
    """
    candidates = [path for path in (home / named, named) if os.path.lexists(path)]
    if not candidates:
        raise _refused(home, named, "no such file or folder")
    path = candidates[0]
    if path.is_symlink() or not inside(home, path):
        real = os.path.realpath(path)
        linked = f"a link to {real}" if path.is_symlink() else f"{real}, outside of it"
        raise _refused(home, named, linked)
    return Path(os.path.relpath(os.path.realpath(path), os.path.realpath(home))).as_posix()


def _refused(home: Path, named: Path, found: str) -> StoreError:
    return StoreError(
        f"{named} is not removed",
        expected=f"something below {home / 'v1'}, links followed",
        found=found,
        fix="Name a path that `w2s-cache ls` prints, or the right --cache-dir.",
    )
