"""Fine-tuning the weak model on D_train with ground truth (Li et al., §4.1, step 2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor
from torch.nn import functional

from w2s_cache.data.decode import Failure, decode_ahead, failures_shown
from w2s_cache.data.images import IndexedFile
from w2s_cache.errors import DataError, ImageError, TrainError
from w2s_cache.schedule import learning_rate_factor
from w2s_cache.spec import FinetuneSpec

_IN_MEMORY_BYTES = 2 << 30  # decoded D_train is kept when it fits, decoded every epoch when not


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainImages:
    """D_train: (n,) files, (n,) int64 labels, the transform, and decoding threads."""

    paths: Sequence[Path | IndexedFile]
    labels: np.ndarray
    transform: Callable[[Image], Tensor]
    workers: int


def finetune(
    network: Any,
    images: TrainImages,
    recipe: FinetuneSpec,
    *,
    device: str,
    advance: Callable[[int], None],
) -> None:
    """Trains all parameters of ``network`` in place with cross-entropy on ground truth.

    Linear warm-up over ``warmup_ratio`` of the steps, then cosine decay to zero. ``flip`` and
    ``shift`` (pixels, edges repeated) are drawn per batch. Everything random comes from
    ``recipe.seed``. A last batch of a single image, which batch normalisation cannot learn from,
    is left out of its epoch. The network is left in eval mode.

    Args:
        network: A classifier, pixels → logits.
        images: What it learns from.
        recipe: Epochs, batch size, learning rate and so on.
        device: A torch device string.
        advance: Called with the number of images just seen.

    Raises:
        DataError: There is no training image, or too few for the network's batch normalisation.
        ImageError: Training images cannot be decoded; all of them are listed.
        TrainError: The weights stopped being finite numbers.
    """
    shown_images = _shown_per_epoch(len(images.paths), recipe.batch_size)
    generator = torch.Generator().manual_seed(recipe.seed)
    network.to(device).train()
    optimizer = _optimizer(network, recipe)
    total = recipe.epochs * math.ceil(shown_images / recipe.batch_size)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: learning_rate_factor(
            step, total=total, warmup_ratio=recipe.warmup_ratio, schedule="cosine"
        ),
    )
    cached = _decode_all(images, recipe.batch_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)  # dropout and stochastic depth of the network
        for _ in range(recipe.epochs):
            order = torch.randperm(len(images.paths), generator=generator)[:shown_images]
            for pixels, labels in _batches(images, cached, order, recipe.batch_size):
                shown = _augment(pixels, recipe, generator).to(device)
                loss = functional.cross_entropy(
                    _logits(network, shown),
                    labels.to(device),
                    label_smoothing=recipe.label_smoothing,
                )
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                scheduler.step()
                advance(len(labels))
            _refuse_divergence(network, recipe)
    network.eval().requires_grad_(False)


def _logits(network: Any, pixels: Tensor) -> Tensor:
    """Logits in training mode; batch normalisation of one pixel per channel has no variance."""
    try:
        logits: Tensor = network(pixels)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise DataError(
            "fine-tuning the weak model on a batch of one image",
            expected="batches of at least two images, for its batch normalisation",
            found=f"{len(pixels)} image",
            fix="Raise `batch_size` in [weak.NAME.finetune], or give more training images.",
        ) from error
    return logits


def _refuse_divergence(network: Any, recipe: FinetuneSpec) -> None:
    numbers = [value for value in network.state_dict().values() if value.is_floating_point()]
    if not all(bool(value.isfinite().all()) for value in numbers):
        raise TrainError(
            "fine-tuning the weak model diverged",
            expected="weights that are finite numbers",
            found=f"NaN or infinity with lr = {recipe.lr} and {recipe.optimizer}",
            fix="Lower `lr` in [weak.NAME.finetune].",
        )


def _shown_per_epoch(count: int, batch_size: int) -> int:
    if count == 0:
        raise DataError(
            "the training half of this domain",
            expected="images to fine-tune the weak model on",
            found="none",
            fix="Use a data set with training images, or import predictions with --weak-logits.",
        )
    alone = count > batch_size > 1 and count % batch_size == 1
    return count - 1 if alone else count


def _optimizer(network: Any, recipe: FinetuneSpec) -> torch.optim.Optimizer:
    parameters = network.parameters()
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, lr=recipe.lr, weight_decay=recipe.weight_decay, momentum=0.9
        )
    make = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return make(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)


def _decode_all(images: TrainImages, batch_size: int) -> Tensor | None:
    """All decoded images when they fit the memory budget, else None."""
    first = images.paths[:1]  # for its size; if it is broken it is listed with all others below
    [probe] = decode_ahead(first, images.transform, batch_size=1, workers=1)
    if probe.pixels.nbytes * len(images.paths) > _IN_MEMORY_BYTES:
        return None
    return torch.cat(list(_decoded(images, range(len(images.paths)), batch_size)))


def _batches(
    images: TrainImages, cached: Tensor | None, order: Tensor, size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    labels = torch.split(torch.from_numpy(images.labels)[order], size)
    if cached is not None:
        yield from (
            (cached[rows], y) for rows, y in zip(torch.split(order, size), labels, strict=True)
        )
    else:
        yield from zip(_decoded(images, order.tolist(), size), labels, strict=True)


def unusable_images(images: TrainImages, advance: Callable[[int], None]) -> list[int]:
    """Places of the images that cannot be decoded or transformed, ascending; keeps no pixels."""
    found: list[int] = []
    size = 8 * images.workers
    for batch in decode_ahead(
        images.paths, images.transform, batch_size=size, workers=images.workers
    ):
        found += [failure.position for failure in batch.failures]
        advance(len(batch.pixels))
    return found


def _decoded(images: TrainImages, rows: Sequence[int], size: int) -> Iterator[Tensor]:
    paths = [images.paths[row] for row in rows]
    failures: list[Failure] = []
    for batch in decode_ahead(paths, images.transform, batch_size=size, workers=images.workers):
        failures += batch.failures
        if not failures:  # after the first one the others are only looked for
            yield batch.pixels
    if failures:
        raise ImageError(
            f"{len(failures)} training image(s) cannot be decoded",
            expected="images that Pillow reads",
            found=failures_shown(failures),
            fix="Repair or remove them (and their lines in the list file), then run again. Or "
            "leave them out with --on-error skip.",
        )


def _augment(pixels: Tensor, recipe: FinetuneSpec, generator: torch.Generator) -> Tensor:
    """Flips each image with probability ½ and shifts the batch by up to ``shift`` pixels."""
    if recipe.flip:
        chosen = torch.rand(len(pixels), generator=generator) < 0.5
        pixels = torch.where(chosen[:, None, None, None], pixels.flip(-1), pixels)
    if recipe.shift:
        height, width = pixels.shape[-2:]
        down, right = torch.randint(0, 2 * recipe.shift + 1, (2,), generator=generator).tolist()
        padded = functional.pad(pixels, [recipe.shift] * 4, mode="replicate")
        pixels = padded[..., down : down + height, right : right + width]
    return pixels
