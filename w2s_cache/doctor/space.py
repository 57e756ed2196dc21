"""Free space where files will be written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from w2s_cache.doctor.finding import Finding, Level

SECTION = "space"
LITTLE, TOO_LITTLE = 5_000_000_000, 200_000_000  # bytes


def space_findings(places: dict[str, Path | None]) -> Iterator[Finding]:
    """Yields the free space of each place, by name; None is a place that nobody named."""
    for name, place in places.items():
        if place is None:
            continue
        yield _space(name, place)


def nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _space(name: str, place: Path) -> Finding:
    try:
        free = shutil.disk_usage(nearest(place)).free
    except OSError as error:
        value = f"{place}: {error.strerror or error}"
        fix = "Name another folder, or make this one readable."
        return Finding(section=SECTION, name=name, level="fail", value=value, fix=fix)
    value = f"{free / 1e9:,.1f} GB free for {place}"
    if free >= LITTLE or name == "data root":  # images are only read
        return Finding(section=SECTION, name=name, level="ok", value=value)
    level: Level = "fail" if free < TOO_LITTLE else "warn"
    limit = TOO_LITTLE if level == "fail" else LITTLE
    fix = f"Less than {limit / 1e9:g} GB: free some (`w2s-cache cache gc`) or choose another disk."
    return Finding(section=SECTION, name=name, level=level, value=value, fix=fix)
