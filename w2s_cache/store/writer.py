"""Write a store: whole shards, each published in one step, the manifest last."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from w2s_cache import __version__
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.casting import stored_form
from w2s_cache.store.fingerprint import canonical_json, diff_keys, stale_error
from w2s_cache.store.grid import shard_file, shard_ranges
from w2s_cache.store.judge import array_problems, shard_problems
from w2s_cache.store.layout import (
    MANIFEST_FILE,
    TEMPORARY_MARK,
    ArraySpec,
    Manifest,
    Shard,
    manifest_from_json,
    manifest_to_json,
)
from w2s_cache.store.lock import Owner, writer_lock
from w2s_cache.store.publish import make_directory, publish, write_error
from w2s_cache.store.shard import ShardHeader, content_digest, read_verified, shard_bytes


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
        self, start: int, arrays: Mapping[str, np.ndarray], *, valid: np.ndarray | None = None
    ) -> None:
        """Publish one whole shard, then the manifest that lists it.

        Args:
            start: First row, the beginning of a range that ``missing`` returned.
            arrays: All declared arrays by name, each (stop - start, *row_shape).
            valid: (stop - start,) bool, False where an image could not be used; None for all valid.

        Raises:
            StoreError: not a missing range, arrays that are missing, surplus or refused (shape,
                sort of number, NaN or inf in a valid row, beyond the stored dtype's range).
            StoreWriteError: no space, no permission; nothing half-written is visible.
        """
        stop = dict(self.missing()).get(start)
        if stop is None:
            raise _refused(f"the start of a missing range {self.missing()[:3]} …", f"start {start}")
        mask = _mask(valid, stop - start)
        names = [spec.name for spec in self.manifest.arrays]
        if sorted(arrays) != sorted(names):
            raise _refused(f"arrays {sorted(names)}", f"arrays {sorted(arrays)}")
        stored = {
            spec.name: stored_form(spec, arrays[spec.name], valid=mask, start=start)
            for spec in self.manifest.arrays
        }
        self._publish(start, stop, stored, mask)

    def _publish(
        self, start: int, stop: int, arrays: Mapping[str, np.ndarray], valid: np.ndarray
    ) -> None:
        now = self.manifest
        header = ShardHeader(kind=now.kind, key_digest=now.key_digest, start=start, stop=stop)
        content = shard_bytes(header, arrays, valid=valid)
        shard = Shard(
            file=shard_file(start, now.shard_rows),
            start=start,
            stop=stop,
            bytes=len(content),
            digest=content_digest(content),
        )
        publish(self.directory / shard.file, content)
        shards = tuple(sorted((*now.shards, shard), key=lambda s: s.start))
        self.manifest = _publish_manifest(self.directory, replace(now, shards=shards))


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
) -> Iterator[StoreWriter]:
    """Begin or resume a store; no other process can write to it until the context ends.

    What an interrupted writer left behind is removed, and shards whose bytes are not those that
    the manifest lists are dropped, so that ``missing`` names them again.

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

    Raises:
        StoreError: an impossible declaration, or another writer after ``timeout``, named.
        StaleStoreError: the directory holds a store of another key or declaration.
        CorruptStoreError: its manifest is damaged.
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
        yield StoreWriter(directory=directory, manifest=_resumed(directory, wanted))


def _resumed(directory: Path, wanted: Manifest) -> Manifest:
    path = directory / MANIFEST_FILE
    if path.exists():
        stored = manifest_from_json(path.read_bytes(), source=str(path))
        _check_same(directory, stored, wanted)
        shards = _intact(directory, stored.shards)
        manifest = replace(stored, shards=shards, attributes=_as_keyed(stored))
    else:
        stored, manifest = None, wanted
    if manifest != stored:
        _publish_manifest(directory, manifest)
    _remove_orphans(directory, {shard.file for shard in manifest.shards})
    return manifest


def _as_keyed(manifest: Manifest) -> dict[str, object]:
    """The attributes, those that the key repeats taken from it: a digest covers the key alone."""
    return {name: manifest.key.get(name, value) for name, value in manifest.attributes.items()}


def _check_same(directory: Path, stored: Manifest, wanted: Manifest) -> None:
    differences = diff_keys(_declaration(stored), _declaration(wanted))
    differences += diff_keys(stored.key, wanted.key)
    if differences:
        fix = "Use another directory for these settings, or delete this one."
        raise stale_error(f"{directory} was made with other settings", differences, fix=fix)


def _declaration(manifest: Manifest) -> dict[str, object]:
    arrays = {spec.name: asdict(spec) for spec in manifest.arrays}
    return {"kind": manifest.kind, "rows": manifest.rows, "arrays": arrays}


def _intact(directory: Path, shards: Sequence[Shard]) -> tuple[Shard, ...]:
    intact = []
    buffer = np.empty(max((shard.bytes for shard in shards), default=0), dtype=np.uint8)
    for shard in shards:
        with contextlib.suppress(CorruptStoreError):  # it will be among the missing
            read_verified(directory, shard, buffer)
            intact.append(shard)
    return tuple(intact)


def _remove_orphans(directory: Path, published: set[str]) -> None:
    try:
        for path in directory.iterdir():
            shard_like = path.match("part-*.h5") and path.name not in published
            if shard_like or TEMPORARY_MARK in path.name:
                path.unlink()
    except OSError as error:
        raise write_error(directory, error) from error


def _publish_manifest(directory: Path, manifest: Manifest) -> Manifest:
    publish(directory / MANIFEST_FILE, manifest_to_json(manifest).encode())
    return manifest


def _mask(valid: np.ndarray | None, count: int) -> np.ndarray:
    if valid is None:
        return np.ones(count, dtype=bool)
    if valid.shape != (count,) or valid.dtype != np.bool_:
        raise _refused(f"a valid mask of {count} bools", f"shape {valid.shape}, {valid.dtype}")
    return valid


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
