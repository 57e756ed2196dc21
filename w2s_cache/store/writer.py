"""Write a store: whole shards, each published in one step, the manifest last."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from w2s_cache import __version__
from w2s_cache.errors import StoreError
from w2s_cache.store.casting import stored_form
from w2s_cache.store.failures import RowFailure, add_failures, in_force, valid_mask
from w2s_cache.store.fingerprint import canonical_json
from w2s_cache.store.grid import shard_file, shard_ranges
from w2s_cache.store.judge import array_problems, shard_problems
from w2s_cache.store.layout import ArraySpec, Manifest, Shard
from w2s_cache.store.lock import Owner, writer_lock
from w2s_cache.store.manifest_json import manifest_from_json, manifest_to_json
from w2s_cache.store.publish import make_directory, publish
from w2s_cache.store.recover import (
    OnUnusable,
    drop_failures,
    publish_manifest,
    readable_failures,
    remove_orphans,
    resumed,
)
from w2s_cache.store.shard import ShardHeader, content_digest, shard_bytes


@dataclass(slots=True, kw_only=True)
class StoreWriter:
    """Adds shards to one store; made by ``open_writer``, which holds the lock meanwhile.

    Args:
        directory: The store.
        manifest: What is published so far.
    """

    directory: Path
    manifest: Manifest

    def missing(self) -> list[tuple[int, int]]:
        """Return the row ranges [start, stop), one per whole shard, that remain to be written."""
        stored = {shard.start for shard in self.manifest.shards}
        grid = shard_ranges(self.manifest.rows, self.manifest.shard_rows)
        return [bounds for bounds in grid if bounds[0] not in stored]

    def write(
        self,
        start: int,
        arrays: Mapping[str, np.ndarray],
        *,
        failures: Sequence[RowFailure] = (),
    ) -> None:
        """Publish one whole shard, then why some of its rows are invalid, then the manifest.

        Args:
            start: First row, the beginning of a range that ``missing`` returned.
            arrays: All declared arrays by name, each (stop - start, *row_shape).
            failures: The rows that are not valid, each once; what the arrays hold there is blanked.

        Raises:
            StoreError: not a missing range, arrays that are missing, surplus or refused (shape,
                sort of number, NaN or inf in a valid row, beyond the stored dtype's range or
                wholly below it), failures of other rows.
            StoreWriteError: no space, no permission; nothing half-written is visible.
        """
        stop = dict(self.missing()).get(start)
        if stop is None:
            raise _refused(f"the start of a missing range {self.missing()[:3]} …", f"start {start}")
        mask = valid_mask(failures, start, stop)
        names = [spec.name for spec in self.manifest.arrays]
        if sorted(arrays) != sorted(names):
            raise _refused(f"arrays {sorted(names)}", f"arrays {sorted(arrays)}")
        stored = {
            spec.name: stored_form(spec, arrays[spec.name], valid=mask, start=start)
            for spec in self.manifest.arrays
        }
        now = self.manifest
        header = ShardHeader(kind=now.kind, key_digest=now.key_digest, start=start, stop=stop)
        content = shard_bytes(header, stored, valid=mask)
        shard = Shard(
            file=shard_file(start, now.shard_rows),
            start=start,
            stop=stop,
            bytes=len(content),
            digest=content_digest(content),
        )
        self._publish(shard, content, tuple(failures))

    def failures(self) -> tuple[RowFailure, ...]:
        """Return why rows of the published shards are invalid, by row."""
        return in_force(self.directory, self.manifest)

    def skipped_before(self) -> tuple[RowFailure, ...]:
        """Return why missing rows were invalid when they were last written, as far as is known."""
        missing = self.missing()
        told = (f for lines in readable_failures(self.directory).values() for f in lines)
        return tuple(f for f in told if any(start <= f.row < stop for start, stop in missing))

    def withdraw(self, rows: Iterable[int]) -> None:
        """Take the shards that hold these rows out of the store: ``missing`` names them again.

        Raises:
            StoreWriteError: no permission; the manifest is as it was, or lists them no more.
        """
        starts = {row // self.manifest.shard_rows * self.manifest.shard_rows for row in rows}
        kept = tuple(shard for shard in self.manifest.shards if shard.start not in starts)
        self.manifest = publish_manifest(self.directory, replace(self.manifest, shards=kept))
        remove_orphans(self.directory, self.manifest)
        drop_failures(self.directory, self.manifest)

    def _publish(self, shard: Shard, content: bytes, failures: tuple[RowFailure, ...]) -> None:
        now = self.manifest
        publish(self.directory / shard.file, content)
        if failures:  # before the manifest, so that no invalid row is ever without its reason
            add_failures(self.directory, shard.digest, failures)
        shards = tuple(sorted((*now.shards, shard), key=lambda s: s.start))
        self.manifest = publish_manifest(self.directory, replace(now, shards=shards))


@contextlib.contextmanager
def open_writer(  # noqa: PLR0913  # the whole declaration of a store, all but one keyword-only
    directory: Path,
    *,
    kind: str,
    key: Mapping[str, object],
    rows: int,
    arrays: Sequence[ArraySpec],
    shard_rows: int = 8192,
    attributes: Mapping[str, object] | None = None,
    timeout: float = 0.0,
    on_wait: Callable[[Owner | None], None] | None = None,
    on_unusable: OnUnusable | None = None,
) -> Iterator[StoreWriter]:
    """Begin or resume a store; no other process can write to it until the context ends.

    What an interrupted writer left behind is removed, and shards whose bytes are not those that
    the manifest lists, or whose invalid rows lack their failures, are dropped, so that ``missing``
    names them again.

    Args:
        directory: The store, made with its parents when it does not exist.
        kind: A name of ``kinds.KINDS``.
        key: All settings that change the numbers, values of JSON types.
        rows: Number of rows of the complete store.
        arrays: Declaration of every array.
        shard_rows: Rows per shard of a new store; one that exists keeps its own.
        attributes: Facts that do not change the numbers; one that exists keeps its own. The
            ``domain`` among them appears in the commands that errors propose.
        timeout: Seconds to wait for another writer; negative waits for ever.
        on_wait: Called once with the other writer, if it is known, before waiting.
        on_unusable: For a directory that is this key's alone: called with what is wrong where its
            manifest is damaged or says otherwise, and the store is begun anew. None refuses it.

    Raises:
        StoreError: an impossible declaration, or another writer after ``timeout``, named.
        NewerStoreError: a newer version made the store, which is left as it is.
        StaleStoreError: the directory holds a store of another key or declaration.
        BrokenManifestError: its manifest is damaged.
        StoreWriteError: no space, no permission.
    """
    wanted = Manifest(
        kind=kind,
        key=dict(key),
        rows=rows,
        shard_rows=shard_rows,
        arrays=tuple(arrays),
        shards=(),
        attributes=dict(attributes or {}),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        tool=_tool(),
    )
    canonical_json(wanted.attributes)  # refuses what JSON cannot hold, by field
    if problems := array_problems(wanted) + shard_problems(wanted):
        raise _refused(f"what a store of kind {kind!r} can hold", "; ".join(problems))
    wanted = manifest_from_json(manifest_to_json(wanted))  # what a reader will see
    make_directory(directory)
    with writer_lock(directory, timeout=timeout, on_wait=on_wait):
        writer = StoreWriter(directory=directory, manifest=resumed(directory, wanted, on_unusable))
        yield writer
        drop_failures(directory, writer.manifest)  # of shards that were made anew


def _tool() -> dict[str, str]:
    libraries = {"h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version}
    return {
        "w2s-cache": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        **libraries,
    }


def _refused(expected: str, found: str) -> StoreError:
    fix = "Correct the call; nothing was written."
    return StoreError("this cannot be stored", expected=expected, found=found, fix=fix)
