"""One run from feature set to record: skipped when it exists, published whole when it is done."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from w2s_cache import __version__, metrics
from w2s_cache.methods import Method, find_method, resolve_options
from w2s_cache.results import RunRecord, has_run, read_record, run_id, run_path, write_run
from w2s_cache.spec import Spec
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.train.candidates import candidates
from w2s_cache.train.classify import Classified, Task, classify
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.inputs import DomainInputs
from w2s_cache.train.rows import usable_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest:
    """What to run: one method, one seed, on one domain's cached features.

    ``options`` are hyper-parameters that override the spec's.
    """

    spec: Spec
    features: FeatureSet
    method: str
    seed: int
    options: Mapping[str, Any]
    device: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """A finished run and whether it already existed."""

    record: RunRecord
    directory: Path
    reused: bool


def run(request: RunRequest, inputs: DomainInputs, results_dir: Path) -> RunOutcome:
    """Trains and evaluates once, unless a run of the same identity exists.

    Raises:
        UnknownNameError: No such method.
        TrainError: The data or the hyper-parameters do not allow training.
        RecordError: The record cannot be written.
    """
    method = find_method(request.method)
    declared = declare(request.spec, request.method, request.options)
    identity = _identity(request, declared, inputs)
    number = run_id(identity)
    names = {key: identity[key] for key in ("dataset", "domain", "method")}
    directory = run_path(results_dir, **names, run_id=number)
    if has_run(results_dir, **names, run_id=number):
        return RunOutcome(record=read_record(directory), directory=directory, reused=True)
    common = {
        **identity,
        "run_id": number,
        "spec": request.spec.name,
        "environment": _environment(request.device),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if method.needs_text and inputs.text is None:
        record = _not_applicable(common)
        write_run(results_dir, record, trace=None, predictions=None, head={})
    else:
        record = _train(request, method, inputs, common, results_dir)
    return RunOutcome(record=record, directory=directory, reused=False)


def _train(
    request: RunRequest,
    method: Method,
    inputs: DomainInputs,
    common: Mapping[str, Any],
    results_dir: Path,
) -> RunRecord:
    """Trains, evaluates and publishes; ``common`` are the record's fields that are known before."""
    protocol = request.spec.protocol
    split, counts = usable_rows(protocol, inputs, request.seed)
    evaluate = split.full_test if protocol.eval_split == "full-test" else split.test
    began = time.perf_counter()
    task = Task(
        inputs=inputs,
        split=split,
        evaluate=evaluate,
        name=request.method,
        method=method,
        options=common["config"]["options"],
        config=train_config(request.spec),
        seed=request.seed,
        device=request.device,
    )
    result = classify(task)
    seconds = time.perf_counter() - began
    record = _record(common, inputs, evaluate, result, counts=counts, seconds=seconds)
    write_run(
        results_dir,
        record,
        trace=_trace_table(result),
        predictions=_predictions(inputs, evaluate, result),
        head={name: value.cpu().numpy() for name, value in result.head.items()},
    )
    return record


def declare(spec: Spec, name: str, overrides: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What decides a method's numbers beside data and seed: ``config`` and ``protocol``.

    Hyper-parameters are given as declared, lists of candidates included, defaults filled in.

    Raises:
        UnknownNameError: No such method.
        TrainError: A hyper-parameter the method does not have.
    """
    method = find_method(name)
    asked = {**method.options, **spec.train.methods.get(name, {}), **overrides}
    resolved = resolve_options(name, method, next(candidates(asked)))
    if "tau" in asked:
        resolved = {k: v for k, v in resolved.items() if k not in {"tau_strong", "tau_weak"}}
    recipe = asdict(train_config(spec)) if method.loss else {}
    recipe.pop("select", None)  # it stands in the protocol
    return {
        "config": {"options": {**resolved, **asked}, "recipe": recipe},
        "protocol": spec.protocol.model_dump(mode="json", exclude={"seeds"}),
    }


def train_config(spec: Spec) -> TrainConfig:
    """The trainer's settings of a spec."""
    recipe = spec.train.model_dump(exclude={"methods"})
    return TrainConfig(**recipe, select=spec.protocol.select)


def _identity(
    request: RunRequest, declared: Mapping[str, Any], inputs: DomainInputs
) -> dict[str, Any]:
    """The fields that decide the numbers, see :data:`w2s_cache.results.OUTCOME_FIELDS`."""
    return {
        "method": request.method,
        "dataset": request.features.dataset,
        "domain": request.features.domain,
        "strong": request.features.strong,
        "weak": request.features.weak,
        "seed": request.seed,
        **declared,
        "inputs": dict(inputs.digests),
    }


def _not_applicable(common: Mapping[str, Any]) -> RunRecord:
    return RunRecord(
        **common,
        status="not-applicable",
        reason="the strong encoder has no text tower",
        metrics={},
        per_class_accuracy=[],
        counts=dict.fromkeys(("fit", "val", "eval", "skipped"), 0),
        selected={},
        timing={},
    )


def _record(
    common: Mapping[str, Any],
    inputs: DomainInputs,
    evaluate: np.ndarray,
    result: Classified,
    *,
    counts: dict[str, int],
    seconds: float,
) -> RunRecord:
    labels = inputs.index.labels[evaluate]
    weak = inputs.weak_logits[evaluate].argmax(dim=-1).numpy()
    per_class = metrics.per_class_accuracy(result.predicted, labels, len(inputs.index.classes))
    measured = {
        "accuracy": metrics.accuracy(result.predicted, labels),
        "agreement": metrics.agreement(result.predicted, weak),
        "weak_accuracy": metrics.accuracy(weak, labels),
        "mean_per_class_recall": metrics.mean_per_class_recall(
            result.predicted, labels, len(inputs.index.classes)
        ),
        "val_score": result.val_score,
    }
    return RunRecord(
        **common,
        metrics={name: float(value) for name, value in measured.items()},
        per_class_accuracy=[None if np.isnan(value) else float(value) for value in per_class],
        counts=counts,
        selected=_selected(common["config"], result),
        timing={"train_and_predict": seconds},
    )


def _selected(config: Mapping[str, Any], result: Classified) -> dict[str, Any]:
    """The epoch kept, and the value kept of every hyper-parameter that was a list."""
    listed = [name for name, value in config["options"].items() if isinstance(value, list)]
    chosen = {name: result.candidate[name] for name in listed}
    return chosen if result.epoch is None else {"epoch": result.epoch + 1, **chosen}


def _trace_table(result: Classified) -> pa.Table | None:
    return pa.Table.from_pylist([asdict(point) for point in result.trace]) if result.trace else None


def _predictions(inputs: DomainInputs, evaluate: np.ndarray, result: Classified) -> pa.Table:
    return pa.table(
        {
            "row": evaluate,
            "path": [inputs.index.paths[row] for row in evaluate],
            "label": inputs.index.labels[evaluate],
            "weak": inputs.weak_logits[evaluate].argmax(dim=-1).numpy(),
            "predicted": result.predicted,
            "confidence": result.confidence,
        }
    )


def _environment(device: str) -> dict[str, Any]:
    versions = {
        "w2s-cache": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    return {"versions": versions, "device": device}
