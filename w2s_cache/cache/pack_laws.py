"""Judges the stores of a pack by the laws of the store, before anything of them is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_changes

import numpy as np

from w2s_cache.cache.pack_file import Pack
from w2s_cache.cache.pack_parts import corrupt
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.check import LAWS, Violation, broken_values
from w2s_cache.store.failures import ByShard, parse_failures, unexplained
from w2s_cache.store.layout import FAILURES_FILE, VALID_DATASET, Shard
from w2s_cache.store.shard import ShardHeader, content_digest, shard_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One store of a pack as it will lie here.

    Attributes:
        shards: What this version of HDF5 makes of its shards.
        failures: Its file of failures; None without invalid rows.
    """

    shards: tuple[Shard, ...]
    failures: bytes | None


def lawful_layout(pack: Pack, kind: str, advance: Callable[[int], None]) -> Layout:
    """Read every shard of a store once and refuse what breaks a law; nothing is written.

    The laws of manifest and arrays were judged when the pack was opened, those of files hold by
    the way they are made: what is left is FS-14 and FS-15 (numbers), FS-17 and FS-18 (failures).

    ``advance`` is called with half of the bytes of each shard; the other half is for writing it.

    Raises:
        CorruptStoreError: The pack is damaged, or its numbers or failures break a law.
        StoreError: Its failures name shards that this version of HDF5 would lay out otherwise.
    """
    manifest, failures = pack.manifests[kind], pack.files.get(f"{kind}.{FAILURES_FILE}")
    told = _told(pack, kind, failures)
    shards = []
    for number, shard in enumerate(manifest.shards):
        arrays = pack.arrays(kind, number, shard)
        for broken in broken_shard(arrays, shard, told):
            expected = f"{kind} by law {broken.law}: {LAWS[broken.law]}"
            raise corrupt(pack.path, expected, broken.message)
        content = packed_shard(pack, kind, shard, arrays)
        shards.append(with_changes(shard, bytes=len(content), digest=content_digest(content)))
        advance(shard.bytes // 2)
    if failures is not None and tuple(shards) != manifest.shards:
        raise _other_layout(pack, kind)
    return Layout(shards=tuple(shards), failures=failures)


def broken_shard(
    arrays: Mapping[str, np.ndarray], shard: Shard, told: ByShard
) -> Iterator[Violation]:
    """Yield where the numbers of a shard, or the reasons of its invalid rows, break a law.

    Args:
        arrays: By name, (R, …) as stored, ``valid``, (R,) bool, among them.
        shard: The shard they belong to.
        told: The failures of its store.
    """
    yield from broken_values(arrays, shard)
    invalid = [shard.start + int(place) for place in np.flatnonzero(~arrays[VALID_DATASET])]
    failures = told.get(shard.digest, ())
    if problem := unexplained(invalid, failures, (shard.start, shard.stop)):
        yield Violation(law="FS-18", message=problem)


def packed_shard(pack: Pack, kind: str, shard: Shard, arrays: dict[str, np.ndarray]) -> bytes:
    """The file that a shard's arrays, ``valid`` among them, make here."""
    key_digest = pack.manifests[kind].key_digest
    header = ShardHeader(kind=kind, key_digest=key_digest, start=shard.start, stop=shard.stop)
    stored = {name: values for name, values in arrays.items() if name != VALID_DATASET}
    return shard_bytes(header, stored, valid=arrays[VALID_DATASET])


def _told(pack: Pack, kind: str, failures: bytes | None) -> ByShard:
    if failures is None:
        return {}
    try:
        return parse_failures(failures, source=f"{kind}.{FAILURES_FILE}")
    except CorruptStoreError as error:
        law = f"{kind}.{FAILURES_FILE} by law FS-17: {LAWS['FS-17']}"
        raise corrupt(pack.path, law, error.found) from error


def _other_layout(pack: Pack, kind: str) -> StoreError:
    """Failures name shards by their digests, which another version of HDF5 cannot reproduce."""
    made_by = pack.manifests[kind].tool.get("hdf5", "the version that wrote it")
    return StoreError(
        f"{pack.path} cannot be unpacked here",
        expected=f"HDF5 {made_by}, whose files the reasons of invalid {kind} rows name",
        found="a version that lays equal numbers out otherwise",
        fix="Unpack with the h5py that wrote it, or run `w2s-cache extract`.",
    )
