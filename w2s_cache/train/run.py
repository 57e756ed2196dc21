"""Runs from feature set to record: skipped when they exist, published whole when done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from w2s_cache.errors import NoTextTowerError, RecordError, TrainError
from w2s_cache.method import Method
from w2s_cache.methods import find_method
from w2s_cache.results import (
    RunRecord,
    finished_run,
    read_trace,
    run_id,
    run_path,
    write_run,
)
from w2s_cache.spec import Spec
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.supervision.protocol import Split
from w2s_cache.train.applicable import lacking
from w2s_cache.train.classify import classify
from w2s_cache.train.divergence import announce
from w2s_cache.train.inputs import DomainInputs
from w2s_cache.train.outcome import RunFailure, RunOutcome
from w2s_cache.train.record import (
    done,
    environment,
    not_applicable,
    predictions_table,
    trace_table,
)
from w2s_cache.train.rows import usable_rows
from w2s_cache.train.settings import declare
from w2s_cache.train.task import Task, Tower
from w2s_cache.train.trial import Classified


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest:
    """What to run: one method with some seeds, on one domain's cached features.

    Attributes:
        spec: The whole spec.
        features: The domain's feature set.
        method: The method's name.
        seeds: Run seeds; those that share sizes train together.
        options: Hyper-parameters that override the spec's.
        device: A torch device string.
        tower: Attaches the text tower, for methods that train through it.
        curves: Whether accuracies by ground truth are put into the trace; a finished run without
            them is run again.
        say: Told of damaged and older runs that are run again, and of candidates that diverged.
    """

    spec: Spec
    features: FeatureSet
    method: str
    seeds: Sequence[int]
    options: Mapping[str, Any]
    device: str
    tower: Tower | None = None
    curves: bool = False
    say: Callable[[str], None] = lambda _: None


def run(
    request: RunRequest, inputs: DomainInputs, results_dir: Path
) -> list[RunOutcome | RunFailure]:
    """Trains and evaluates every seed once, unless a whole run of the same identity exists.

    Returns:
        One outcome per seed, in order; a failure where all candidates of a seed diverged.

    Raises:
        UnknownNameError: No such method.
        TrainError: The data or the hyper-parameters do not allow training.
        RecordError: A record cannot be written.
    """
    places = {seed: _Place.of(request, inputs, results_dir, seed) for seed in request.seeds}
    reused = {seed: place.finished(request) for seed, place in places.items()}
    missing = [seed for seed in request.seeds if reused[seed] is None]
    made = _train(request, inputs, [places[seed] for seed in missing]) if missing else []
    fresh = dict(zip(missing, made, strict=True))
    return [
        _outcome(request, places[seed], reused[seed] or fresh[seed], reused=seed not in fresh)
        for seed in request.seeds
    ]


def _outcome(
    request: RunRequest, place: _Place, ended: RunRecord | TrainError, *, reused: bool
) -> RunOutcome | RunFailure:
    if isinstance(ended, RunRecord):
        return RunOutcome(record=ended, directory=place.directory, reused=reused)
    return RunFailure(
        method=request.method,
        domain=request.features.domain,
        seeds=(place.identity["seed"],),
        error=ended,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """What one seed's record will say beforehand, and where it will lie."""

    identity: dict[str, Any]
    run_id: str
    results_dir: Path

    @classmethod
    def of(cls, request: RunRequest, inputs: DomainInputs, results_dir: Path, seed: int) -> _Place:
        declared = declare(request.spec, request.method, request.options)
        identity = _identity(request, declared, inputs, seed)
        return cls(identity=identity, run_id=run_id(identity), results_dir=results_dir)

    @property
    def names(self) -> dict[str, str]:
        """Data set, domain, method and identity, as paths and look-ups take them."""
        named = {key: self.identity[key] for key in ("dataset", "domain", "method")}
        return {**named, "run_id": self.run_id}

    @property
    def directory(self) -> Path:
        return run_path(self.results_dir, **self.names)

    def finished(self, request: RunRequest) -> RunRecord | None:
        """The record of a finished run; None where there is none, or none with wanted curves.

        A run that is damaged, or of an older format, does not count as finished; that it is run
        again is said.
        """
        found = finished_run(self.directory)
        if isinstance(found, str):
            request.say(f"a damaged or older run is run again: {found}")
            return None
        return None if found is None or self._lacks_curves(request, found) else found

    def _lacks_curves(self, request: RunRequest, record: RunRecord) -> bool:
        if not request.curves:
            return False
        try:
            trace = read_trace(self.results_dir, record)
        except RecordError as error:
            request.say(f"a damaged run is run again: {error}")
            return True
        return trace is not None and trace.column("eval_accuracy").null_count == len(trace)

    def common(self, request: RunRequest) -> dict[str, Any]:
        """The fields of the record that are known before training."""
        return {
            **self.identity,
            "run_id": self.run_id,
            "spec": request.spec.name,
            "environment": environment(request.device),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def _train(
    request: RunRequest, inputs: DomainInputs, places: Sequence[_Place]
) -> Sequence[RunRecord | TrainError]:
    """Trains the seeds of some places together, evaluates each and publishes its record."""
    method = find_method(request.method)
    reason = lacking(method, request.features, inputs)
    if reason:
        return [_publish_not_applicable(place, request, reason) for place in places]
    began = time.perf_counter()
    rows = [usable_rows(request.spec.protocol, inputs, p.identity["seed"]) for p in places]
    tasks = [
        _task(request, method, inputs, place, split)
        for place, (split, _) in zip(places, rows, strict=True)
    ]
    try:
        results = classify(tasks)
    except NoTextTowerError as error:  # for good; weights that fail to load are no such thing
        return [_publish_not_applicable(place, request, error.what) for place in places]
    seconds = (time.perf_counter() - began) / len(tasks)
    return [
        result
        if isinstance(result, TrainError)
        else _publish(place, request, task, result, counts=counts, seconds=seconds)
        for place, task, result, (_, counts) in zip(places, tasks, results, rows, strict=True)
    ]


def _task(
    request: RunRequest, method: Method, inputs: DomainInputs, place: _Place, split: Split
) -> Task:
    full = request.spec.protocol.eval_split == "full-test"
    return Task(
        inputs=inputs,
        split=split,
        evaluate=split.full_test if full else split.test,
        name=request.method,
        method=method,
        declared={name: place.identity[name] for name in ("config", "protocol")},
        seed=place.identity["seed"],
        device=request.device,
        tower=request.tower,
        curves=request.curves,
    )


def _publish(
    place: _Place,
    request: RunRequest,
    task: Task,
    result: Classified,
    *,
    counts: dict[str, int],
    seconds: float,
) -> RunRecord:
    announce(result.diverged, task.who, request.say)
    written = write_run(
        place.results_dir,
        done(place.common(request), task, result, counts=counts, seconds=seconds),
        trace=trace_table(result),
        predictions=predictions_table(task.inputs, task.evaluate, result),
        head={name: value.cpu().numpy() for name, value in result.head.items()},
    )
    return written.record


def _publish_not_applicable(place: _Place, request: RunRequest, reason: str) -> RunRecord:
    record = not_applicable(place.common(request), reason)
    return write_run(place.results_dir, record, trace=None, predictions=None, head={}).record


def _identity(
    request: RunRequest, declared: Mapping[str, Any], inputs: DomainInputs, seed: int
) -> dict[str, Any]:
    """The fields that decide the numbers, see :data:`w2s_cache.results.OUTCOME_FIELDS`."""
    return {
        "method": request.method,
        "dataset": request.features.dataset,
        "domain": request.features.domain,
        "strong": request.features.strong,
        "weak": request.features.weak,
        "seed": seed,
        **declared,
        "inputs": dict(inputs.digests),
    }
