"""How much memory training takes for a domain, and how much it may take."""

from __future__ import annotations

import os
from pathlib import Path

from w2s_cache.store.reader import Store

SHARE = 0.5  # of the machine's memory, where nothing else is said
_CGROUP = Path("/sys/fs/cgroup/memory.max")  # a container's limit
_UNITS = ("kB", "MB", "GB", "TB")


def training_bytes(image: Store, logits: Store, *, tested: int) -> int:
    """Bytes that features and logits take where all are held in memory.

    Besides every row as it is stored, training holds the ``tested`` rows of D_test three times: as
    they are, as head and loss want them, and gathered for a start in closed form.
    """
    widths = image.manifest.width("features") + logits.manifest.width("logits")
    return 4 * widths * (image.manifest.rows + 3 * tested)


def default_limit() -> int | None:
    """Half of the memory of the machine or container; None where the system does not tell."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no such names
        return None
    return int(SHARE * min(total, _container_limit() or total))


def shown_bytes(count: int) -> str:
    """A size for people: ``1.5 GB``, decimal."""
    size, unit = float(count), "bytes"
    for larger in _UNITS:
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"


def _container_limit() -> int | None:
    try:
        return int(_CGROUP.read_text())
    except (OSError, ValueError):  # no container, or one without limit
        return None
