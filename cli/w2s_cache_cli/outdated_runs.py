"""What is said of runs that are shown though the cache holds other features by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2s_cache.spec import Spec
from w2s_cache_cli.next_steps import next_step
from w2s_cache_cli.training_steps import training_steps

if TYPE_CHECKING:
    from w2s_cache.errors import StoreError
    from w2s_cache.results import RunRecord
    from w2s_cache.train.current import Features


def outdated_note(
    spec: Spec,
    settings: Mapping[str, Any],
    records: Sequence[RunRecord],
    cache_dir: Path,
    *,
    varied: str = "",
) -> str:
    """What is not current, and what cannot be told, with the commands that help; else ``""``.

    Args:
        spec: The whole spec.
        settings: Those of ``--set``.
        records: The runs that are shown.
        cache_dir: The cache home.
        varied: The setting in which the runs differ, whose value whoever runs it has to fill in.
    """
    from w2s_cache.train.current import outdated
    from w2s_cache.train.held import held_inputs

    lost: dict[str, None] = {}
    held = held_inputs(
        cache_dir, records, unreadable=lambda *told: lost.setdefault(_unreadable(*told))
    )
    stale = outdated(records, held)
    return "; ".join([*([_stale(spec, settings, stale, varied)] if stale else []), *lost])


def _unreadable(features: Features, error: StoreError) -> str:
    skip = "skip" if "--on-error skip" in error.fix else None
    names = {name: getattr(features, name) for name in ("domain", "strong", "weak")}
    return (
        f"{features.domain}: whether its runs are of the features that the cache holds cannot be "
        f"told: {error.what}, found {error.found.rstrip('.')}; to mend that, run "
        f"{next_step('extract', **names, on_error=skip)}"
    )


def _stale(spec: Spec, settings: Mapping[str, Any], stale: Sequence[RunRecord], varied: str) -> str:
    domains = ", ".join(sorted({record.domain for record in stale}))
    steps = " and ".join(_steps(spec, settings, stale, varied))
    return (
        f"{domains}: runs of other features than the cache holds now; to make current ones, "
        f"run {steps}"
    )


def _steps(
    spec: Spec,
    settings: Mapping[str, Any],
    stale: Sequence[RunRecord],
    varied: str,
) -> Iterator[str]:
    """A command per pair of models."""
    for (strong, weak), runs in groupby(sorted(stale, key=_pair), _pair):
        members = list(runs)
        yield training_steps(
            spec,
            settings,
            tuple(dict.fromkeys(record.method for record in members)),
            domain=sorted({record.domain for record in members}),
            seeds=sorted({record.seed for record in members}),
            strong=strong,
            weak=weak,
            set={**settings, varied: "VALUE"} if varied else None,
        )


def _pair(record: RunRecord) -> tuple[str, str]:
    return record.strong, record.weak
