"""Predictions of several methods on the same rows, sorted by image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from w2s_cache.errors import RecordError
from w2s_cache.methods import CEILING_METHODS
from w2s_cache.metrics import Outcomes, gather_outcomes
from w2s_cache.results import Predictions, RunRecord
from w2s_cache.results.lacking import refuse_lacking
from w2s_cache.tables.ceiling import ceiling_records
from w2s_cache.tables.comparable import check_comparable
from w2s_cache.tables.layout import CEILING
from w2s_cache.tables.skipped import SkippedImages, skipped_images

SUPERVISOR = "weak labels"
"""Name of the weak model as every run's predictions hold it; no method has this name."""

Read = Callable[[RunRecord], Predictions]
"""Gives the predictions of a done run."""
_Runs = dict[tuple[str, str, int], RunRecord]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evaluated:
    """Every method on every domain under every seed, on the same rows.

    Args:
        names: The methods in order, then :data:`SUPERVISOR`, then ``"ceiling"`` if there is one.
        seeds: The seeds, ascending.
        outcomes: By domain, right and wrong of all names in order.
        no_ceiling: Why there is no ceiling; empty when there is one.
        skipped: What domains lack.
    """

    names: tuple[str, ...]
    seeds: tuple[int, ...]
    outcomes: Mapping[str, Outcomes]
    no_ceiling: str = ""
    skipped: tuple[SkippedImages, ...] = ()

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains, ascending."""
        return tuple(self.outcomes)

    def place(self, name: str) -> int:
        """Where a name stands in the outcomes."""
        return self.names.index(name)


def load_evaluated(
    records: Iterable[RunRecord],
    methods: Sequence[str],
    read: Read,
    *,
    domains: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> Evaluated:
    """Reads the predictions of methods, and of the ceiling where it has the same runs.

    Args:
        records: Records of any methods.
        methods: The methods to compare, each once.
        read: Gives the predictions of a done run.
        domains: Those to compare on; none means all that any of the methods has.
        seeds: The same for seeds.

    Raises:
        RecordError: A method has no run, is not applicable or lacks one of the domains or seeds;
            records do not belong together; or two runs evaluated different rows.
    """
    records = tuple(records)
    kept = [r for r in records if r.method in {*methods, *CEILING_METHODS}]
    compared = [record for record in kept if record.method in methods]
    place = compared or records
    domains = tuple(sorted(domains or {record.domain for record in place}))
    seeds = tuple(sorted(seeds or {record.seed for record in place}))
    refuse_lacking(compared, methods=methods, domains=domains, seeds=seeds)
    compared = [r for r in compared if r.domain in domains and r.seed in seeds]
    check_comparable(compared)
    runs = {(r.method, r.domain, r.seed): r for r in compared}
    ceiling, why = _ceiling(kept, compared, domains, seeds)
    names = (*methods, *([] if why else [CEILING]))
    outcomes = {d: _domain(runs | ceiling, names, d, seeds, read) for d in domains}
    columns = (*methods, SUPERVISOR, *names[len(methods) :])
    skipped = skipped_images(compared, lambda record: record.domain)
    return Evaluated(names=columns, seeds=seeds, outcomes=outcomes, no_ceiling=why, skipped=skipped)


def _ceiling(
    records: Sequence[RunRecord],
    compared: Sequence[RunRecord],
    domains: Sequence[str],
    seeds: Sequence[int],
) -> tuple[_Runs, str]:
    """The better ceiling of each domain as runs of the name ``ceiling``, or why there is none."""
    done = [
        r
        for r in records
        if r.status == "done" and r.domain in domains and r.method in CEILING_METHODS
    ]
    if not done:
        return {}, f"no runs of {' or '.join(CEILING_METHODS)}"
    check_comparable([*compared, *(record for record in done if record not in compared)])
    by_method = {m: [r for r in done if r.method == m] for m in CEILING_METHODS}
    chosen = ceiling_records(by_method, domains, metric="accuracy")
    runs = {(CEILING, d, r.seed): r for d in domains for r in chosen[d]}
    lacking = [f"{d} with seed {s}" for d in domains for s in seeds if (CEILING, d, s) not in runs]
    return (runs, "") if not lacking else ({}, f"no ceiling on {', '.join(lacking)}")


def _domain(
    runs: _Runs, names: Sequence[str], domain: str, seeds: Sequence[int], read: Read
) -> Outcomes:
    """Outcomes of the methods in order, the weak labels after all but the ceiling."""
    paths, right = [], []
    for seed in seeds:
        told = {name: read(runs[name, domain, seed]) for name in names}
        first = told[names[0]]
        for name in names[1:]:
            _refuse_other_rows(first, told[name], names=(names[0], name), place=(domain, seed))
        answers = [told[name].predicted for name in names]
        answers.insert(len(names) - (names[-1] == CEILING), first.weak)
        paths.append(first.path)
        right.append(np.stack([given == first.label for given in answers], axis=1))
    return gather_outcomes(paths, right)


def _refuse_other_rows(
    one: Predictions, other: Predictions, *, names: tuple[str, str], place: tuple[str, int]
) -> None:
    same = one.path == other.path
    for column in ("label", "weak") if same else ():
        same &= bool(np.array_equal(getattr(one, column), getattr(other, column)))
    if not same:
        shared = len(set(one.path) & set(other.path))
        raise RecordError(
            f"{names[0]} and {names[1]} evaluated different rows of {place[0]}",
            expected=f"the same images, labels and weak labels with seed {place[1]}",
            found=f"{len(one.path)} and {len(other.path)} images, {shared} of them in both",
            fix="Run both methods again on the same features.",
        )
