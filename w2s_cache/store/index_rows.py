"""What the paths and digests of an index must look like."""

from __future__ import annotations

import itertools
import re

_SHA256 = re.compile("[0-9a-f]{64}")


def first_bad_path(paths: tuple[str, ...]) -> tuple[str, str] | None:
    """Find the first path out of order or not plain: (expected, found), or None."""
    try:
        keys = [path.encode() for path in paths]
    except UnicodeEncodeError as error:
        return "paths in UTF-8", repr(error.object)
    for before, after in itertools.pairwise(keys):
        if before >= after:
            return "paths in strictly ascending byte order", f"{after!r} after {before!r}"
    for path in paths:
        climbs = ".." in path and ".." in path.split("/")
        if not path or path.startswith("/") or climbs or "\0" in path or "\n" in path:
            return "relative paths inside the data root", repr(path)
    return None


def first_bad_hash(paths: tuple[str, ...], sha256: tuple[str, ...]) -> tuple[str, str] | None:
    """Find the first digest that is none: (expected, found), or None."""
    for path, sha in zip(paths, sha256, strict=True):
        if not _SHA256.fullmatch(sha):
            return "sha256 digests of 64 hex digits", f"{sha!r} at {path!r}"
    return None
