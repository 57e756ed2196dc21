"""Every image of an index through one image encoder into one store, shard by shard."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from w2s_cache.data.decode import Failure
from w2s_cache.data.images import IndexedFile
from w2s_cache.encoders.protocol import ImageEncoder
from w2s_cache.extract.bad_images import (
    OnError,
    not_finite,
    refuse,
    refuse_all_bad,
    row_failures,
)
from w2s_cache.extract.crew import Crew, crew_at_work
from w2s_cache.extract.encode import Encoded, encode_rows
from w2s_cache.extract.progress import Progress, anew, waiting
from w2s_cache.store.failures import RowFailure
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.writer import StoreWriter, open_writer


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageJob:
    """One store to fill.

    Attributes:
        directory: The store.
        kind: ``"image"`` or ``"logits"``.
        key: All that changes the numbers.
        names: (n,) relative paths, in row order.
        files: (n,) the image files.
        encoder: What turns pixels into rows.
        dtypes: Storage dtype by array name.
        attributes: Facts kept beside the key.
        label: What progress calls it.
        ahead: Batches to decode while the encoder works; 0 where it needs every core itself.
        encode: Rows of a shard → their batches, where other processes encode; None encodes here.
        on_error: Whether an image that cannot be used stops the job or leaves its row invalid. One
            that was skipped before for the same reason stops nothing when its shard is made anew.
        retry: Whether to try the images again that were skipped earlier.
    """

    directory: Path
    kind: str
    key: Mapping[str, Any]
    names: Sequence[str]
    files: Sequence[IndexedFile]
    encoder: ImageEncoder
    dtypes: Mapping[str, str]
    attributes: Mapping[str, Any]
    label: str
    ahead: int = 2
    encode: Callable[[range], Generator[Encoded, None, None]] | None = None
    on_error: OnError = "stop"
    retry: bool = False


def fill_store(
    job: ImageJob,
    *,
    shard_rows: int,
    batch_size: int,
    workers: int,
    progress: Progress,
    crew: Crew | None = None,
) -> int:
    """Computes the missing shards of a store; rows per batch start anew in every shard.

    An interrupt loses at most the shard in the making; calling again computes only what is missing,
    with the same bytes as if nothing had happened. With a crew the images are encoded by several
    processes, with ``workers`` decoding threads each; this one writes.

    Returns:
        The number of rows computed now; those that were skipped are not among them.

    Raises:
        ImageError: Images cannot be decoded; all of the shard's are listed, nothing of it is kept.
            Where they are skipped: not one image of the store can be used.
        EncoderError: A process of the crew died, or the encoder returned numbers that are not
            finite and nothing is skipped.
        StoreWriteError: No space, no permission.
    """
    widths = job.encoder.widths
    specs = [ArraySpec(name=n, row_shape=(w,), dtype=job.dtypes[n]) for n, w in widths.items()]
    with open_writer(
        job.directory,
        kind=job.kind,
        key=job.key,
        rows=len(job.files),
        arrays=specs,
        shard_rows=shard_rows,
        attributes=job.attributes,
        timeout=-1,
        on_wait=waiting(progress, job.label),
        on_unusable=anew(progress, job.label),
    ) as writer:
        if job.retry and (again := _usable_again(job, writer.failures(), batch_size, workers)):
            writer.withdraw(again)
        missing = writer.missing()
        total = sum(stop - start for start, stop in missing)
        with _manned(job, writer, crew, batch_size, workers) as manned:
            progress.begin(job.label, len(job.files), done=len(job.files) - total)
            for start, stop in missing:
                _fill_shard(manned, writer, range(start, stop), batch_size, workers, progress)
            progress.end()
        failures = writer.failures()
        refuse_all_bad(failures, len(job.files), job.label)
    skipped = sum(start <= f.row < stop for f in failures for start, stop in missing)
    return total - skipped


@contextlib.contextmanager
def _manned(
    job: ImageJob, writer: StoreWriter, crew: Crew | None, batch_size: int, workers: int
) -> Iterator[ImageJob]:
    """The job, encoded by the crew where there is one and something to do."""
    missing = writer.missing()
    if crew is None or not missing:
        yield job
        return
    shard_rows = writer.manifest.shard_rows
    means = {"batch_size": batch_size, "workers": workers, "ahead": job.ahead}
    with crew_at_work(crew, job.files, missing, shard_rows=shard_rows, **means) as encode:
        yield replace(job, encode=encode)


def _usable_again(
    job: ImageJob, skipped: Sequence[RowFailure], batch_size: int, workers: int
) -> list[int]:
    """Rows skipped earlier whose images can be used now; unless skipping, all of them must."""
    files = [job.files[failure.row] for failure in skipped]
    failures: list[Failure] = []
    means = {"batch_size": batch_size, "workers": workers, "ahead": job.ahead}
    with closing(encode_rows(job.encoder, files, **means)) as batches:
        for position, encoded, failed in batches:
            here = [replace(f, position=f.position - position) for f in failed]
            here += not_finite(encoded, files[position : position + batch_size], here)
            failures += [replace(f, position=f.position + position) for f in here]
    if failures and job.on_error == "stop":
        refuse(failures)
    still = {failure.position for failure in failures}
    return [failure.row for place, failure in enumerate(skipped) if place not in still]


def _fill_shard(
    job: ImageJob,
    writer: StoreWriter,
    rows: range,
    batch_size: int,
    workers: int,
    progress: Progress,
) -> None:
    arrays = {
        spec.name: np.empty((len(rows), *spec.row_shape), dtype=np.float32)
        for spec in writer.manifest.arrays
    }
    files = job.files[rows.start : rows.stop]
    failures: list[Failure] = []
    with closing(_encoded(job, rows, batch_size, workers)) as batches:
        for position, encoded, failed in batches:
            failures += failed
            count = 0
            for name, values in encoded.items():
                count = len(values)
                arrays[name][position : position + count] = values
            progress.advance(count)
    failures.sort(key=lambda failure: failure.position)  # processes answer in any order
    failures += not_finite(arrays, files, failures)
    told = row_failures(failures, job.names, rows.start)
    if job.on_error == "stop" and (new := _unexpected(failures, told, writer)):
        refuse(new)
    writer.write(rows.start, arrays, failures=told)


def _unexpected(
    failures: Sequence[Failure], told: Sequence[RowFailure], writer: StoreWriter
) -> list[Failure]:
    """Failures that are not those for which the same images were skipped earlier.

    The key vouches for the contents of images, so that a row's image is still the same.
    """
    if not failures:
        return []
    known = {(f.row, f.path, f.stage, f.error) for f in writer.skipped_before()}
    return [
        failure
        for failure, f in zip(failures, told, strict=True)
        if (f.row, f.path, f.stage, f.error) not in known
    ]


def _encoded(
    job: ImageJob, rows: range, batch_size: int, workers: int
) -> Generator[Encoded, None, None]:
    if job.encode is not None:
        return job.encode(rows)
    files = job.files[rows.start : rows.stop]
    return encode_rows(job.encoder, files, batch_size=batch_size, workers=workers, ahead=job.ahead)
