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
    for candidate in (home / named, named):
        if not os.path.lexists(candidate):
            continue
        if inside(home, candidate) and not candidate.is_symlink():
            base = os.path.realpath(home)
            return Path(os.path.relpath(os.path.realpath(candidate), base)).as_posix()
        raise StoreError(
            f"{named} is not removed",
            expected=f"a path below {home / 'v1'}, links followed",
            found=f"a link to {os.path.realpath(candidate)}"
            if candidate.is_symlink() or os.path.realpath(candidate) != os.path.abspath(candidate)
            else f"{candidate.absolute()}, outside of it",
            fix="Name a path that `w2s-cache ls` prints, or the right --cache-dir.",
        )
    raise StoreError(
        f"{named} is not removed",
        expected=f"something below {home / 'v1'}",
        found="no such file or folder",
        fix="`w2s-cache ls` prints what is there.",
    )
