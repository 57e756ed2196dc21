"""One method on one domain with one seed: from cached tensors to predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.heads.protocol import Head, StartInputs
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.methods import Method, build_head, build_loss, build_start, resolve_options
from w2s_cache.supervision.ground_truth import label_logits
from w2s_cache.supervision.protocol import Split
from w2s_cache.train.candidates import candidates
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.inputs import DomainInputs
from w2s_cache.train.loop import FitData, TracePoint, fit
from w2s_cache.train.streams import stream


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """What a method makes of a domain.

    Attributes:
        predicted: (m,) int64, class of every evaluation row.
        confidence: (m,) float32, the probability given to it.
        head: Trained tensors by name; empty for the weak model.
        trace: Every training step; empty when nothing is trained.
        epoch: Selected epoch (0-based); None when nothing is trained.
        val_score: Agreement with the supervision on val, in [0, 1].
        candidate: The hyper-parameters as declared, one value of each list.
    """

    predicted: np.ndarray
    confidence: np.ndarray
    head: dict[str, Tensor]
    trace: tuple[TracePoint, ...]
    epoch: int | None
    val_score: float
    candidate: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One run: which rows, which method, which seed, on which device."""

    inputs: DomainInputs
    split: Split
    evaluate: np.ndarray
    name: str
    method: Method
    options: Mapping[str, Any]
    config: TrainConfig
    seed: int
    device: str


def classify(task: Task) -> Classified:
    """Runs a method: trains every candidate, keeps the best by val, predicts.

    Ground truth is read only by methods supervised by it and by ``select = "oracle"``; the labels
    of the evaluation rows are never read.

    Raises:
        TrainError: A hyper-parameter the method does not have, or training that diverged.
    """
    if task.method.head is None:
        return _weak_itself(task)
    best: Classified | None = None
    for options in candidates(task.options):
        tried = _one_candidate(task, options)
        if best is None or tried.val_score > best.val_score:
            best = tried
    assert best is not None  # noqa: S101 - candidates() yields at least one
    return best


def _weak_itself(task: Task) -> Classified:
    logits = task.inputs.weak_logits[task.evaluate]
    confidence, predicted = functional.softmax(logits, dim=-1).max(dim=-1)
    return Classified(
        predicted=predicted.numpy(),
        confidence=confidence.numpy(),
        head={},
        trace=(),
        epoch=None,
        val_score=1.0,
        candidate={},
    )


def _one_candidate(task: Task, candidate: dict[str, Any]) -> Classified:
    options = resolve_options(task.name, task.method, candidate)
    head, loss = build_head(task.method, options), build_loss(task.method, options)
    rows, val = task.split.fit, task.split.val
    supervision = _supervision(task)
    prepared = head.prepare(task.inputs.features[rows].to(task.device))
    parameters = _start(task, head, prepared, options)
    val_prepared = head.prepare(task.inputs.features[val].to(task.device))
    val_labels = _selection_labels(task, supervision).to(task.device)
    trace: tuple[TracePoint, ...] = ()
    epoch = None
    if loss is None:
        agree = head.logits(parameters, val_prepared).argmax(dim=-1) == val_labels
        score = agree.float().mean().item()
    else:
        data = FitData(
            prepared=prepared,
            targets=loss.targets(supervision[rows].to(task.device)),
            val_prepared=val_prepared,
            val_labels=val_labels,
        )
        order = stream(task.seed, "order")
        fitted = fit(head, loss, parameters, data, task.config, generator=order)
        parameters, trace = fitted.parameters, fitted.trace
        epoch, score = fitted.epoch, fitted.val_score
    predicted, confidence = _predict(task, head, parameters, options)
    return Classified(
        predicted=predicted,
        confidence=confidence,
        head=parameters,
        trace=trace,
        epoch=epoch,
        val_score=score,
        candidate=candidate,
    )


def _supervision(task: Task) -> Tensor:
    if task.method.supervision == "weak":
        return task.inputs.weak_logits
    labels = torch.from_numpy(task.inputs.index.labels.copy())
    return label_logits(labels, task.inputs.weak_logits.shape[1])


def _selection_labels(task: Task, supervision: Tensor) -> Tensor:
    if task.config.select == "oracle":
        return torch.from_numpy(task.inputs.index.labels[task.split.val])
    return supervision[task.split.val].argmax(dim=-1)


def _start(
    task: Task, head: Head, prepared: Tensor, options: Mapping[str, Any]
) -> dict[str, Tensor]:
    start = build_start(task.method, options)
    assert start is not None  # noqa: S101 - a head always comes with a start
    text = task.inputs.text
    inputs = StartInputs(
        head=head,
        features=prepared,
        weak_logits=_supervision(task)[task.split.fit].to(task.device),
        text=None if text is None else text.to(task.device),
        logit_scale=task.inputs.logit_scale,
        generator=stream(task.seed, "start"),
    )
    return {name: value.to(task.device) for name, value in start(inputs).items()}


@torch.no_grad()
def _predict(
    task: Task, head: Head, parameters: Mapping[str, Tensor], options: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    prepared = head.prepare(task.inputs.features[task.evaluate].to(task.device))
    scaled = head.logits(parameters, prepared) / _temperature(task, head, options)
    confidence, predicted = functional.softmax(scaled, dim=-1).max(dim=-1)
    return predicted.cpu().numpy(), confidence.cpu().numpy()


def _temperature(task: Task, head: Head, options: Mapping[str, Any]) -> float:
    """What turns a head's logits into its own probabilities."""
    if "tau_strong" in options:
        return float(options["tau_strong"])
    if isinstance(head, PrototypeHead) and task.inputs.logit_scale:
        return 1.0 / task.inputs.logit_scale
    return 1.0
