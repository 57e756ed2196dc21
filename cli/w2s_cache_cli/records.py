"""The run records that belong to a spec and the options of a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.errors import RecordError
from w2s_cache.sections import Overrides, strong_section_of
from w2s_cache.spec import Spec
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.results import RunRecord


def record_filters(
    spec: Spec,
    domains: tuple[str, ...],
    seeds: tuple[int, ...] | None,
    strong: str | None,
    weak: str | None,
) -> dict[str, object]:
    """Record fields with the values the options ask for; what is not asked for is the spec's."""
    filters: dict[str, object] = {
        "dataset": spec.name,
        "strong": strong_section_of(spec, strong)[0],
        "weak": weak or next(iter(spec.weak)),
        "seed": list(seeds or spec.protocol.seeds),
    }
    if domains:
        filters["domain"] = list(domains)
    return filters


def records_of(
    spec: Spec,
    results_dir: Path,
    filters: dict[str, object],
    options: dict[str, Any],
    overrides: Overrides,
    *,
    quiet: bool,
) -> list[RunRecord]:
    """Records of the spec's present settings; how many others there are is said aloud.

    Raises:
        RecordError: There are none.
    """
    from w2s_cache.results import find_runs
    from w2s_cache.train.matching import differing_settings, matching

    found = find_runs(results_dir, **filters)
    records = matching(found, spec, options, overrides)
    others = ", ".join(differing_settings(found, spec, options, overrides))
    if not records:
        raise RecordError(
            f"no runs of spec {spec.name} in {results_dir}",
            expected="records of the spec's present settings",
            found=f"{len(found)} of other settings, differing in {others}" if found else "none",
            fix="Run `w2s-cache train` with the same --spec first.",
        )
    left_out = len(found) - len(records)
    if left_out and not quiet:
        echo(f"{left_out} runs of other settings left out, differing in {others}", err=True)
    return records
