"""Numbers that somebody else keyed by image path, put into the order of an index's rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from w2s_cache.errors import W2SError

_LISTED = 3


def row_order(
    found: Sequence[str],
    paths: Sequence[str],
    *,
    elsewhere: Callable[[str], bool] | None,
    refuse: Callable[[str, str, str], W2SError],
) -> np.ndarray:
    """Where each row of an index stands among the paths that somebody wrote.

    Args:
        found: Paths as they were written, in any order.
        paths: Paths of all rows of the index, in order: ``found`` holds all of these.
        elsewhere: Whether a path is a row of another domain of the data set, which may stand among
            them; asked only about paths that are no row here. None: none is.
        refuse: Makes the error from what was expected, what was found and what to do.

    Returns:
        (len(paths),) int64 positions in ``found``.

    Raises:
        W2SError: What ``refuse`` made: missing, unknown or repeated paths.
    """
    position = {path: row for row, path in enumerate(found)}
    if len(position) != len(found):
        seen: set[str] = set()
        twice = next(path for path in found if path in seen or seen.add(path))  # type: ignore[func-returns-value]
        raise refuse("each path once", f"{twice!r} more than once", "Remove one of them.")
    known = set(paths)
    absent = [path for path in paths if path not in position]
    unknown = [path for path in found if path not in known]
    if elsewhere is not None:
        unknown = [path for path in unknown if not elsewhere(path)]
    if absent or unknown:
        raise refuse(
            f"the {len(paths)} rows of the index, beside them only rows of other domains",
            f"{len(absent)} missing{_examples(absent)}, {len(unknown)} unknown{_examples(unknown)}",
            "Write paths relative to the data root, as the command data index prints them.",
        )
    return np.array([position[path] for path in paths], dtype=np.int64)


def _examples(paths: Sequence[str]) -> str:
    return (
        f" ({', '.join(paths[:_LISTED])}{', …' if len(paths) > _LISTED else ''})" if paths else ""
    )
