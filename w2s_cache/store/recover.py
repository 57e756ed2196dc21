"""What a writer finds in a store, and makes of it: a manifest that lists whole shards only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from w2s_cache.errors import BrokenManifestError, CorruptStoreError, StaleStoreError, StoreError
from w2s_cache.store.failures import (
    ByShard,
    RowFailure,
    read_failures,
    unexplained,
    write_failures,
)
from w2s_cache.store.fingerprint import diff_keys, stale_error
from w2s_cache.store.layout import FAILURES_FILE, MANIFEST_FILE, Manifest, Shard
from w2s_cache.store.manifest_json import manifest_from_json, manifest_to_json
from w2s_cache.store.publish import publish, remove_temporaries, write_error
from w2s_cache.store.regular_file import read_regular
from w2s_cache.store.shard import invalid_rows, read_verified, refuse_sizes

OnUnusable = Callable[[StoreError], None]
"""Told why a manifest cannot be used, before its store is begun anew."""


def resumed(directory: Path, wanted: Manifest, on_unusable: OnUnusable | None) -> Manifest:
    """Bring a store into a state to go on from; for who holds the only right to write there.

    An unusable manifest is replaced in one step by the empty one; the shards it may have listed go
    after it, so that an interrupt leaves orphans and never a manifest that lists what is gone.

    Args:
        directory: The store.
        wanted: The manifest of a store without shards.
        on_unusable: Called where what is there cannot be gone on from; None refuses it.

    Returns:
        The manifest that is published now.

    Raises:
        NewerStoreError: a newer version made the store.
        StaleStoreError: a store of another key or declaration, and nobody to be told.
        BrokenManifestError: a damaged manifest, and nobody to be told.
        StoreWriteError: no space, no permission.
    """
    stored, manifest = _stored(directory, wanted, on_unusable), wanted
    if stored is not None:
        shards = intact(directory, stored.shards)
        manifest = replace(stored, shards=shards, attributes=_as_keyed(stored))
    if manifest != stored:
        publish_manifest(directory, manifest)
    remove_orphans(directory, manifest)
    drop_failures(directory, manifest)
    return manifest


def _stored(directory: Path, wanted: Manifest, on_unusable: OnUnusable | None) -> Manifest | None:
    path = directory / MANIFEST_FILE
    if not path.exists():
        return None
    try:
        stored = manifest_from_json(read_regular(path), source=str(path))
        _check_same(directory, stored, wanted)
    except (BrokenManifestError, StaleStoreError) as error:
        if on_unusable is None:
            raise
        on_unusable(error)
        return None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read",
            expected="a readable file",
            found=error.strerror or str(error),
            fix="Remove it, or correct its permissions, and run `w2s-cache extract` again.",
        ) from error
    return stored


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


def publish_manifest(directory: Path, manifest: Manifest) -> Manifest:
    """Make a manifest the one that readers see, and return it.

    Raises:
        StoreWriteError: no space, no permission; the previous one is untouched.
    """
    publish(directory / MANIFEST_FILE, manifest_to_json(manifest).encode())
    return manifest


def remove_orphans(directory: Path, manifest: Manifest) -> None:
    """Remove temporary files and shards that the published manifest does not list.

    Raises:
        StoreWriteError: no permission or another failure of the disk.
    """
    remove_temporaries(directory)
    listed = {shard.file for shard in manifest.shards}
    try:
        for path in directory.glob("part-*.h5"):
            if path.name not in listed:
                path.unlink()
    except OSError as error:
        raise write_error(directory, error) from error


def intact(directory: Path, shards: Sequence[Shard]) -> tuple[Shard, ...]:
    """Return the shards whose bytes are those listed and whose invalid rows have their failures."""
    kept = []
    failures = readable_failures(directory)
    for shard in shards:
        with contextlib.suppress(CorruptStoreError):  # it will be among the missing
            refuse_sizes(directory, [shard])
            buffer = np.empty(shard.bytes, dtype=np.uint8)
            read_verified(directory, shard, buffer)
            invalid = invalid_rows(directory, shard, buffer)
            bounds = shard.start, shard.stop
            if not unexplained(invalid, failures.get(shard.digest, ()), bounds):
                kept.append(shard)
    return tuple(kept)


def readable_failures(directory: Path) -> ByShard:
    """Read every line of a store's file of failures; none where it is damaged."""
    try:
        return read_failures(directory)
    except CorruptStoreError:  # shards that need it are computed anew
        return {}


def drop_failures(directory: Path, manifest: Manifest) -> None:
    """Remove what is said of shards that others have replaced; after the manifest, never before.

    What is said of rows in no shard stays: computed again, the same images may fail as before.

    Raises:
        StoreWriteError: no space, no permission.
    """
    known = readable_failures(directory)
    kept = {d: left for d, told in known.items() if (left := _still_true(d, told, manifest))}
    if kept != known or (not kept and (directory / FAILURES_FILE).exists()):
        write_failures(directory, kept)


def _still_true(
    digest: str, told: Sequence[RowFailure], manifest: Manifest
) -> tuple[RowFailure, ...]:
    if any(shard.digest == digest for shard in manifest.shards):
        return tuple(told)
    shards = [(shard.start, shard.stop) for shard in manifest.shards]
    return tuple(f for f in told if not any(start <= f.row < stop for start, stop in shards))
