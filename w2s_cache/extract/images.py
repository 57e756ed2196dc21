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
from w2s_cache.encoders.protocol import ImageEncoder
from w2s_cache.errors import EncoderError, ImageError
from w2s_cache.extract.crew import Crew, crew_at_work
from w2s_cache.extract.encode import Encoded, encode_rows
from w2s_cache.extract.progress import Progress, waiting
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.writer import StoreWriter, open_writer

_LISTED = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageJob:
    """One store to fill.

    Attributes:
        directory: The store.
        kind: ``"image"`` or ``"logits"``.
        key: All that changes the numbers.
        paths: (n,) image files, in row order.
        encoder: What turns pixels into rows.
        dtypes: Storage dtype by array name.
        attributes: Facts kept beside the key.
        label: What progress calls it.
        ahead: Batches to decode while the encoder works; 0 where it needs every core itself.
        encode: Rows of a shard → their batches, where other processes encode; None encodes here.
    """

    directory: Path
    kind: str
    key: Mapping[str, Any]
    paths: Sequence[Path]
    encoder: ImageEncoder
    dtypes: Mapping[str, str]
    attributes: Mapping[str, Any]
    label: str
    ahead: int = 2
    encode: Callable[[range], Generator[Encoded, None, None]] | None = None


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
        The number of rows computed now.

    Raises:
        ImageError: Images cannot be decoded; all of the shard's are listed, nothing of it is kept.
        EncoderError: The encoder returned numbers that are not finite, or a process of the crew
            died.
        StoreWriteError: No space, no permission.
    """
    widths = job.encoder.widths
    specs = [ArraySpec(name=n, row_shape=(w,), dtype=job.dtypes[n]) for n, w in widths.items()]
    with open_writer(
        job.directory,
        kind=job.kind,
        key=job.key,
        rows=len(job.paths),
        arrays=specs,
        shard_rows=shard_rows,
        attributes=job.attributes,
        timeout=-1,
        on_wait=waiting(progress, job.label),
    ) as writer:
        missing = writer.missing()
        total = sum(stop - start for start, stop in missing)
        with _manned(job, writer, crew, batch_size, workers) as manned:
            progress.begin(job.label, len(job.paths), done=len(job.paths) - total)
            for start, stop in missing:
                _fill_shard(manned, writer, range(start, stop), batch_size, workers, progress)
            progress.end()
    return total


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
    with crew_at_work(crew, job.paths, missing, shard_rows=shard_rows, **means) as encode:
        yield replace(job, encode=encode)


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
    failures: list[Failure] = []
    with closing(_encoded(job, rows, batch_size, workers)) as batches:
        for position, encoded, failed in batches:
            failures += failed
            count = 0
            for name, values in encoded.items():
                count = len(values)
                arrays[name][position : position + count] = values
            progress.advance(count)
    if failures:
        raise _undecodable(failures)
    _refuse_nonfinite(job, arrays, rows)
    writer.write(rows.start, arrays)


def _encoded(
    job: ImageJob, rows: range, batch_size: int, workers: int
) -> Generator[Encoded, None, None]:
    if job.encode is not None:
        return job.encode(rows)
    paths = job.paths[rows.start : rows.stop]
    return encode_rows(job.encoder, paths, batch_size=batch_size, workers=workers, ahead=job.ahead)


def _undecodable(failures: Sequence[Failure]) -> ImageError:
    shown = "; ".join(f"{f.path} ({f.reason})" for f in failures[:_LISTED])
    more = f"; and {len(failures) - _LISTED} more" if len(failures) > _LISTED else ""
    return ImageError(
        f"{len(failures)} image(s) cannot be decoded",
        expected="images that Pillow reads",
        found=f"{shown}{more}",
        fix="Repair or remove them (and their lines in the list files), then run again: "
        "finished shards are kept.",
    )


def _refuse_nonfinite(job: ImageJob, arrays: Mapping[str, np.ndarray], rows: range) -> None:
    for name, values in arrays.items():
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(bad):
            raise EncoderError(
                f"{name} of {len(bad)} image(s) are not finite, first {job.paths[rows[bad[0]]]}",
                expected="finite numbers",
                found="NaN or infinity",
                fix="If the precision is fp16, use fp32: it overflows in some models. In fp32 the "
                "weights or the image are at fault.",
            )
