"""Decoding ahead of the encoder: threads turn files into batches of pixels, in order and bounded.

Pillow releases the interpreter lock while it decodes and resizes, so threads are enough. A broken
image is never dropped and never passed off as a black one: its row is zero and it is named in the
batch's failures, and whoever asked for the batch decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from w2s_cache.data.images import IndexedFile, decode_image, read_content
from w2s_cache.errors import DataError, ImageError
from w2s_cache.store.failures import listed

__all__ = ["DecodedBatch", "Failure", "decode_ahead", "failures_shown"]

Transform = Callable[[Image.Image], torch.Tensor]
_LISTED = 10  # broken images in a message
_BLANK = (224, 224)  # pixels; what a transform is shown when only its output shape is wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An image that could not be used.

    Args:
        position: Its position in the sequence of all paths.
        path: Its file.
        stage: Where it failed, one of :data:`w2s_cache.store.failures.STAGES`.
        error: The type of the exception behind it.
        reason: Why, in a few words.
    """

    position: int
    path: Path
    stage: str
    error: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecodedBatch:
    """Consecutive images.

    Args:
        start: Position of the first one in the sequence of all paths.
        pixels: (B, C, H, W) float; the rows of failures are zero.
        failures: The images of this batch that could not be decoded, in order.
    """

    start: int
    pixels: torch.Tensor
    failures: tuple[Failure, ...]


def decode_ahead(
    paths: Sequence[Path | IndexedFile],
    transform: Transform,
    *,
    batch_size: int,
    workers: int,
    ahead: int = 2,
) -> Generator[DecodedBatch]:
    """Decode and transform images in threads, batch by batch, in the order of ``paths``.

    At most ``ahead`` batches exist beyond the one the caller holds; with 0, nothing is decoded
    while the caller works, for callers who need every core themselves. An interrupt, an error or
    the end of the iteration stops the threads: what waits is cancelled, what runs (one image per
    worker) is awaited.

    Each worker thread runs torch on one core (`torch.set_num_threads` in the thread itself);
    without that, every worker would start its own pool of as many threads as there are cores as
    soon as a transform touches a tensor. The caller's own number of threads stays as it is.

    Args:
        paths: The image files; one of the index that is another by now is a failure.
        transform: An RGB image to a float tensor (C, H, W), the same shape for all images, without
            randomness; called from several threads at once. If it has an attribute ``at_least``,
            JPEGs may reach it scaled down to shorter sides of no fewer pixels.
        batch_size: Images in a batch; the last one may be smaller.
        workers: Decoding threads.
        ahead: Batches being decoded while the caller uses one; 0 for none.

    Yields:
        The batches.

    Raises:
        DataError: If a number is too small or the transform gives tensors of differing shapes.
    """
    if min(batch_size, workers, ahead + 1) < 1:
        raise DataError(
            "decoding",
            expected="batch size and workers of at least 1, batches ahead of at least 0",
            found=f"{batch_size}, {workers} and {ahead}",
            fix="Give larger numbers.",
        )
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(
        workers, thread_name_prefix="decode", initializer=torch.set_num_threads, initargs=(1,)
    )
    starts = deque(range(0, len(paths), batch_size))
    queue: deque[tuple[int, list[Future[torch.Tensor | Failure]]]] = deque()

    def top_up(batches: int) -> None:
        while starts and len(queue) < batches:
            start = starts.popleft()
            numbered = enumerate(paths[start : start + batch_size], start)
            queue.append((start, [pool.submit(_decode, *item, transform) for item in numbered]))

    try:
        while starts or queue:
            top_up(max(ahead, 1))
            batch = _collect(*queue.popleft(), transform)
            top_up(ahead)
            yield batch
            del batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(threads)  # the workers' setting is the default of later threads


def failures_shown(failures: Sequence[Failure]) -> str:
    """Which images could not be used, and why; ten are named and the others counted."""
    return listed([f"{failure.path} ({failure.reason})" for failure in failures], _LISTED)


def _decode(
    position: int, file: Path | IndexedFile, transform: Transform
) -> torch.Tensor | Failure:
    path, expected = (file, None) if isinstance(file, Path) else (file.path, file.content)
    if not isinstance(file, Path) and file.problem is not None:
        kind, reason = file.problem
        return Failure(position=position, path=path, stage="index", error=kind, reason=reason)
    stage = "read"
    try:
        content = read_content(path, expected)
        stage = "decode"
        image = decode_image(path, content, at_least=getattr(transform, "at_least", None))
    except ImageError as error:
        kind = type(error.__cause__ or error).__name__
        return Failure(position=position, path=path, stage=stage, error=kind, reason=error.found)
    try:
        return transform(image)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is of this file
        kind = type(error).__name__
        reason = f"preprocessing failed, {kind}: {error}"
        return Failure(position=position, path=path, stage="preprocess", error=kind, reason=reason)


def _collect(
    start: int, futures: list[Future[torch.Tensor | Failure]], transform: Transform
) -> DecodedBatch:
    """Wait for a batch and stack it; rows of failures become zeros of the common shape."""
    results = [future.result() for future in futures]
    failures = tuple(result for result in results if isinstance(result, Failure))
    decoded = [result for result in results if not isinstance(result, Failure)]
    like = decoded[0] if decoded else transform(Image.new("RGB", _BLANK))
    shapes = {tuple(row.shape) for row in decoded}
    if len(shapes) > 1:
        raise DataError(
            f"images {start} to {start + len(results) - 1}",
            expected="pixels of one shape for all images",
            found=f"shapes {', '.join(map(str, sorted(shapes)))}",
            fix="Let the preprocessing resize and crop to one size.",
        )
    blank = torch.zeros_like(like)
    rows = [blank if isinstance(result, Failure) else result for result in results]
    return DecodedBatch(start=start, pixels=torch.stack(rows), failures=failures)
