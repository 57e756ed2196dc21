"""The one training loop: any head, any loss, whole splits as tensors in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from w2s_cache.errors import TrainError
from w2s_cache.heads.protocol import Head
from w2s_cache.losses.protocol import Loss
from w2s_cache.schedule import learning_rate_factor
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.optimizer import Optimizer


@dataclass(frozen=True, kw_only=True, slots=True)
class FitData:
    """Tensors of one run, all on one device.

    Attributes:
        prepared: (n, d) float32, what the head works on.
        targets: Tensors with n rows, from the loss.
        val_prepared: (m, d) float32.
        val_labels: (m,) int64, what selection compares predictions with.
    """

    prepared: Tensor
    targets: Mapping[str, Tensor]
    val_prepared: Tensor
    val_labels: Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class TracePoint:
    """One step: loss in nats, learning rate; the val score where an epoch ends."""

    step: int
    epoch: int
    loss: float
    lr: float
    val_score: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """The selected parameters, their epoch (0-based) and val score, and every step."""

    parameters: dict[str, Tensor]
    epoch: int
    val_score: float
    trace: tuple[TracePoint, ...]


def fit(
    head: Head,
    loss: Loss,
    start: Mapping[str, Tensor],
    data: FitData,
    config: TrainConfig,
    *,
    generator: torch.Generator,
) -> Fitted:
    """Trains a head's parameters and keeps the epoch that selection names.

    Args:
        head: Maps parameters and prepared features to logits.
        loss: Compares logits with targets.
        start: Initial parameters; not modified.
        data: Everything to train and select on.
        config: The recipe.
        generator: CPU generator of the row order.

    Raises:
        TrainError: The loss stopped being a finite number.
    """
    parameters = {name: value.clone().requires_grad_() for name, value in start.items()}
    trained = list(parameters.values())
    optimizer = Optimizer(
        name=config.optimizer, parameters=trained, weight_decay=config.weight_decay
    )
    rows = len(data.prepared)
    size = min(config.batch_size, rows)
    inputs = _room(data.prepared, size)
    rooms = {name: _room(value, size) for name, value in data.targets.items()}
    total = config.epochs * math.ceil(rows / config.batch_size)
    losses: list[Tensor] = []
    rates: list[float] = []
    scores: list[float] = []
    best: tuple[float, int, dict[str, Tensor]] = (-1.0, 0, {})
    for epoch in range(config.epochs):
        for batch in _batches(rows, config.batch_size, generator, data.prepared.device):
            step = len(losses)
            rates.append(_rate(step, total, config))
            logits = head.logits(parameters, _take(data.prepared, batch, inputs))
            targets = {name: _take(data.targets[name], batch, rooms[name]) for name in rooms}
            value = loss(logits, targets, progress=step / total)
            optimizer.step(rates[-1], torch.autograd.grad(value, trained))
            losses.append(value.detach())
        score = _score(head, parameters, data)
        scores.append(score)
        if score > best[0] or config.select == "last":
            best = (score, epoch, {k: v.detach().clone() for k, v in parameters.items()})
    trace = _trace(torch.stack(losses).tolist(), rates, scores)
    _refuse_divergence(trace)
    return Fitted(parameters=best[2], epoch=best[1], val_score=best[0], trace=trace)


def _batches(
    rows: int, size: int, generator: torch.Generator, device: torch.device
) -> Iterator[Tensor]:
    order = torch.randperm(rows, generator=generator).to(device)
    yield from torch.split(order, size)


def _room(source: Tensor, size: int) -> Tensor:
    """Memory for one batch of rows, so that no step allocates its inputs."""
    return source.new_empty(size, *source.shape[1:])


def _take(source: Tensor, rows: Tensor, room: Tensor) -> Tensor:
    """Copies rows into the room; valid until the next call."""
    return torch.index_select(source, 0, rows, out=room[: len(rows)])


def _rate(step: int, total: int, config: TrainConfig) -> float:
    return config.lr * learning_rate_factor(
        step, total=total, warmup_ratio=config.warmup_ratio, schedule=config.schedule
    )


@torch.no_grad()
def _score(head: Head, parameters: Mapping[str, Tensor], data: FitData) -> float:
    predicted = head.logits(parameters, data.val_prepared).argmax(dim=-1)
    return (predicted == data.val_labels).float().mean().item()


def _trace(losses: list[float], rates: list[float], scores: list[float]) -> tuple[TracePoint, ...]:
    steps = len(losses) // len(scores)
    return tuple(
        TracePoint(
            step=step,
            epoch=step // steps,
            loss=value,
            lr=rate,
            val_score=scores[step // steps] if (step + 1) % steps == 0 else None,
        )
        for step, (value, rate) in enumerate(zip(losses, rates, strict=True))
    )


def _refuse_divergence(trace: tuple[TracePoint, ...]) -> None:
    for point in trace:
        if not math.isfinite(point.loss):
            raise TrainError(
                f"training diverged at step {point.step}",
                expected="a finite loss",
                found=str(point.loss),
                fix="Lower the learning rate, raise the temperature, or check the features.",
            )
