"""How a run ended: with a record, or failed among others that did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.counted import counted
from w2s_cache.errors import EncoderError, TrainError
from w2s_cache.results import RunRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """A finished run and whether it already existed."""

    record: RunRecord
    directory: Path
    reused: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFailure:
    """Runs of one method on one domain that left no record.

    Attributes:
        method: The method's name.
        domain: The domain's name.
        seeds: The seeds that failed.
        error: Why.
    """

    method: str
    domain: str
    seeds: tuple[int, ...]
    error: TrainError | EncoderError


def refuse_failures(failures: Sequence[RunFailure], runs: int) -> None:
    """Raises what a whole study ends with, unless nothing failed.

    Args:
        failures: All of them, in order.
        runs: How many runs were asked for.

    Raises:
        TrainError, EncoderError: The one failure itself.
        TrainError: One error that names all of them.
    """
    if len(failures) == 1:
        raise failures[0].error
    if failures:
        failed = sum(len(failure.seeds) for failure in failures)
        raise TrainError(
            f"{failed} of {counted(runs, 'run')} failed",
            expected="every run to finish",
            found="; ".join(f"{f.error.what}: {f.error.found}" for f in failures),
            fix="Mend their settings or inputs and run the same command again: the other runs are "
            f"kept. {failures[0].error.fix}",
        )
