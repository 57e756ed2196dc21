"""Writes one feature set as one self-contained HDF5 file: a feature pack.

``docs/feature-store.md`` is the specification. Equal caches give equal files, byte for byte, for
one version of HDF5; one shard is held in memory at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import h5py
import numpy as np
import xxhash

from w2s_cache.cache.inventory import SetEntry
from w2s_cache.cache.pack_laws import broken_shard
from w2s_cache.cache.pack_layout import (
    DIGESTS,
    FEATURE_SET,
    FILES,
    INDEX,
    INDEX_FILE,
    array_digest,
    index_columns,
    members,
    root_attributes,
)
from w2s_cache.cache.set_laws import set_findings
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.failures import read_failures
from w2s_cache.store.feature_set import FeatureSet, StoreRef, open_member
from w2s_cache.store.index import read_index
from w2s_cache.store.layout import FAILURES_FILE, MANIFEST_FILE, VALID_DATASET, index_path
from w2s_cache.store.publish import make_directory, publish_written
from w2s_cache.store.shard import LIBVER
from w2s_cache.store.shard_walk import shard_arrays


def write_pack(
    home: Path, entry: SetEntry, target: Path, *, replace: bool, advance: Callable[[int], None]
) -> None:
    """Publish a feature set with its stores and its index as one file, in one step.

    Args:
        home: The cache home.
        entry: The feature set.
        target: The file to write; its folder is made.
        replace: Whether a file that is there may be replaced.
        advance: Called with the bytes of each shard that was read.

    Raises:
        StoreError: The feature set is broken, or ``target`` is there and not to be replaced.
        CorruptStoreError: Bytes of the cache are not those that were written.
        StoreWriteError: No space, no permission; nothing half-written is left.
    """
    for finding in set_findings(home, entry):
        _refuse(entry.path, f"{finding.law}: {finding.message}", finding.fix)
    if target.exists() and not replace:
        raise StoreError(
            f"{target} is there already",
            expected="a new file",
            found=f"one of {target.stat().st_size:,} bytes",
            fix="Choose another --output, or replace it with --force.",
        )
    assert entry.found is not None  # noqa: S101 - a set that breaks no law was read
    found, text = entry.found, (home / entry.path).read_bytes()
    make_directory(target.parent)

    def write(temporary: Path) -> None:
        with h5py.File(temporary, "w", libver=LIBVER, locking=False) as file:
            _write(_Packer(file=file), home, found, text, advance)

    publish_written(target, write)


def _refuse(path: str, found: str, fix: str) -> NoReturn:
    what = f"{path} cannot be packed"
    raise CorruptStoreError(what, expected="what breaks no law", found=found, fix=fix)


def _write(
    packer: _Packer, home: Path, found: FeatureSet, text: bytes, advance: Callable[[int], None]
) -> None:
    source = index_path(home, found.dataset, found.domain)
    index = read_index(source)
    for name, value in root_attributes(found, len(index)).items():
        packer.file.attrs[name] = value
    packer.add_text(FEATURE_SET, text)
    packer.add_bytes(INDEX_FILE, source.read_bytes())
    columns = packer.group(INDEX)
    for name, values in index_columns(index).items():
        columns.create_dataset(name, data=values)
    for kind, ref in members(found).items():
        _write_store(packer, home, kind, ref, advance)
    packer.file.create_dataset(DIGESTS, data=json.dumps(packer.digests, sort_keys=True))


def _write_store(
    packer: _Packer, home: Path, kind: str, ref: StoreRef, advance: Callable[[int], None]
) -> None:
    store = open_member(home, ref)
    packer.add_text(f"{kind}.{MANIFEST_FILE}", (store.directory / MANIFEST_FILE).read_bytes())
    failures = store.directory / FAILURES_FILE
    if failures.exists():
        packer.add_bytes(f"{kind}.{FAILURES_FILE}", failures.read_bytes())
    group, rows = packer.group(kind), store.manifest.rows
    forms = {spec.name: ((rows, *spec.row_shape), spec.dtype) for spec in store.manifest.arrays}
    forms[VALID_DATASET] = ((rows,), "bool")
    for name, (shape, dtype) in forms.items():
        group.create_dataset(name, shape=shape, dtype=np.dtype(dtype).newbyteorder("<"))
        packer.digests[f"{kind}/{name}"] = []
    told = read_failures(store.directory)
    for shard, arrays in shard_arrays(store.directory, store.manifest):
        for broken in broken_shard(arrays, shard, told):
            _refuse(ref.path, str(broken), "Run `w2s-cache cache verify` for what to do.")
        for name, values in arrays.items():
            group[name][shard.start : shard.stop] = values
            packer.digests[f"{kind}/{name}"].append(array_digest(values))
        advance(shard.bytes)


@dataclass(slots=True, kw_only=True)
class _Packer:
    """An open file and the digests of what was put into it so far."""

    file: h5py.File
    digests: dict[str, list[str]] = field(default_factory=dict)

    def group(self, name: str) -> h5py.Group:
        """A new group that does not record when it was made."""
        if name in self.file:
            return self.file[name]
        creation = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
        creation.set_obj_track_times(False)
        h5py.h5g.create(self.file.id, name.encode(), gcpl=creation)
        return self.file[name]

    def add_text(self, name: str, content: bytes) -> None:
        """A file of JSON as a string."""
        self.group(FILES).create_dataset(name, data=content.decode())
        self._note(name, content)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Another file, byte by byte."""
        self.group(FILES).create_dataset(name, data=np.frombuffer(content, dtype=np.uint8))
        self._note(name, content)

    def _note(self, name: str, content: bytes) -> None:
        self.digests[f"{FILES}/{name}"] = [xxhash.xxh3_128_hexdigest(content)]
