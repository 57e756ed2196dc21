"""Paths that come from files: they must name something inside the data root.

A list or an archive is somebody else's text. A path in it may be absolute, climb with ``..`` or run
through a symbolic link to somewhere else; none of these may be opened or written.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from w2s_cache.errors import DataError

__all__ = ["SHOWN", "refuse_absent", "unsafe_reason"]

SHOWN = 10
"""How many offending paths a message names before it counts the rest."""

_SHOWN_CHARACTERS = 200  # of a path that is named


_PLAIN = re.compile(r"(?:(?!\.{1,2}/)[A-Za-z0-9._ -]+/)+(?!\.{1,2}$)[A-Za-z0-9._ -]+")


def unsafe_reason(path: str) -> str | None:
    """Why ``path`` is not a plain relative posix path, or None if it is one."""
    if _PLAIN.fullmatch(path):  # nearly all of them, in a tenth of the time
        return None
    reason = None
    try:
        path.encode()
    except UnicodeEncodeError:
        return "a name that is not UTF-8"
    if not path or any(ord(letter) < 32 for letter in path):
        reason = "an empty name or one with control characters"
    elif path.startswith("/") or PureWindowsPath(path).drive:
        reason = "an absolute path"
    elif "\\" in path:
        reason = "a path with backslashes"
    elif ".." in path.split("/"):
        reason = "a path that climbs with '..'"
    elif PurePosixPath(path).as_posix() != path:
        reason = "a path with empty or '.' parts"
    return reason


def refuse_absent(
    root: Path, paths: Iterable[str], *, where: str, fix: str, allowed: bool = False
) -> None:
    """Check that every path is a regular file below ``root``, links followed.

    Args:
        root: The data root; it may itself be a link.
        paths: Relative posix paths, already known to be plain (see `unsafe_reason`).
        where: What names these paths, for the message.
        fix: The next step when files are absent.
        allowed: Whether files may be absent after all; links out of the root never are allowed.

    Raises:
        DataError: If files are absent or pipes, folders and the like (ten of them are named, the
            rest counted), or if a link leads out of the root.
    """
    base = os.path.realpath(root)
    folders: dict[str, str] = {}
    absent: list[str] = []
    irregular: list[str] = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = _inside(base, folder, where)
        try:
            mode = os.lstat(f"{folders[folder]}/{name}").st_mode
        except (FileNotFoundError, NotADirectoryError):
            absent.append(path)
            continue
        except OSError as error:  # a name that is too long, a folder that may not be entered
            if allowed:
                continue
            raise DataError(
                f"{where}: {path[:_SHOWN_CHARACTERS]!r} cannot be looked up",
                expected=f"a file below {root}",
                found=error.strerror or str(error),
                fix=fix,
            ) from error
        target = _inside(base, path, where) if stat.S_ISLNK(mode) else None
        if stat.S_ISREG(mode) or (target and Path(target).is_file()):
            continue
        (absent if target and not Path(target).exists() else irregular).append(path)
    if absent and not allowed:
        raise DataError(
            f"{where}: {len(absent)} listed image(s) absent",
            expected=f"every listed image below {root}",
            found=f"no file {_some(absent)}",
            fix=fix,
        )
    if irregular and not allowed:
        raise DataError(
            f"{where}: {len(irregular)} image(s) are pipes, devices, sockets or folders",
            expected="regular files",
            found=f"not a regular file: {_some(irregular)}",
            fix="Remove them, or leave such images out: extract with --on-error skip.",
        )


def _some(paths: Sequence[str]) -> str:
    """The first of them by name, the rest by number."""
    rest = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _inside(base: str, path: str, where: str) -> str:
    """The real path of ``base/path``; it must still lie in ``base``."""
    real = os.path.realpath(f"{base}/{path}")
    if real != base and not real.startswith(base.rstrip("/") + "/"):
        raise DataError(
            f"{where}: {path!r} leads out of the data root",
            expected=f"files below {base}",
            found=f"a link to {real}",
            fix="Copy the files into the data root, or make the link's target the root.",
        )
    return real
