"""What `extract` says of a domain it has finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from w2s_cache.counted import counted

if TYPE_CHECKING:
    from w2s_cache.extract.request import Extracted


def summary(done: Extracted, seconds: float, *, imported: bool) -> str:
    """One line: how many images, what was computed, what was there."""
    count = f"{counted(done.rows, 'image')}"
    if done.skipped:
        count += f", {len(done.skipped):,} skipped"
    if done.reused:
        left = f"the other {done.rows - len(done.skipped):,}" if done.skipped else "all"
        return f"{done.domain}: {count}, {left} reused from the cache ({seconds:.1f} s)"
    verbs = dict.fromkeys(done.computed, "computed")
    if imported:
        verbs["logits"] = "imported"
    parts = ", ".join(
        f"{name} {f'{count:,} {verbs[name]}' if count else 'reused'}"
        for name, count in done.computed.items()
    )
    return f"{done.domain}: {count}, {parts} ({seconds:.1f} s)"


def left_out(done: Extracted) -> str:
    """Which images are skipped, a few of them named, and what to do about it."""
    from w2s_cache.store.failures import shown

    when = " earlier" if done.reused else ""
    return (
        f"{done.domain}: {len(done.skipped):,} of {counted(done.rows, 'image')} skipped{when}: "
        f"{shown(done.skipped)}. All are listed in {done.failures}; --retry-skipped tries them "
        "again."
    )
