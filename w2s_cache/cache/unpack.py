"""Puts a packed feature set back into a cache: the same stores, index and feature set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as with_changes
from pathlib import Path, PurePosixPath

from w2s_cache.cache.boundary import inside
from w2s_cache.cache.pack_file import Pack, open_pack
from w2s_cache.cache.pack_laws import Layout, lawful_layout, packed_shard
from w2s_cache.cache.pack_layout import FEATURE_SET, INDEX_FILE, members
from w2s_cache.cache.pack_parts import corrupt
from w2s_cache.command_line import command_line
from w2s_cache.counted import counted
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.feature_set import FeatureSet, StoreRef, feature_set_path, load_feature_set
from w2s_cache.store.index import parse_index, read_index
from w2s_cache.store.layout import (
    FAILURES_FILE,
    MANIFEST_FILE,
    Manifest,
    Shard,
    index_path,
    slug,
)
from w2s_cache.store.lock import writer_lock
from w2s_cache.store.manifest_json import manifest_to_json
from w2s_cache.store.publish import make_directory, publish, remove
from w2s_cache.store.reader import open_store, read_manifest


def unpack(
    path: Path,
    home: Path,
    *,
    replace: bool,
    say: Callable[[str], None],
    advance: Callable[[int], None],
) -> Path:
    """Bring what a pack holds into a cache home; the feature set appears last, in one step.

    All of the pack is read and judged by the laws of the store before the first byte is written.
    Stores that are there already, complete and sound, stay as they are. The files that are written
    are, byte for byte, those that were packed; should this version of HDF5 lay out equal numbers
    otherwise, that is said and the manifest lists the files as they are now.

    Args:
        path: The pack.
        home: The cache home; made when it does not exist.
        replace: Whether another feature set of the same names may be replaced.
        say: Called with a sentence for each store that was not written as it was packed.
        advance: Called twice for each shard, with half of its bytes: once it was judged, and once
            it is in place.

    Returns:
        The file of the feature set.

    Raises:
        StoreError: The cache holds something else in its place, or somebody is writing there.
        CorruptStoreError: The pack is damaged, or what it holds breaks a law of the store.
        StoreWriteError: No space, no permission.
    """
    with open_pack(path) as pack:
        target = _feature_set_file(pack, home, replace=replace)
        index_file = _refuse_other_rows(pack, home)
        for file in (target, index_file):
            _refuse_outside(home, file)
        _refuse_other_index(pack)
        refs = members(pack.feature_set)
        places = {kind: _place(pack, home, kind, ref) for kind, ref in refs.items()}
        layouts = {kind: lawful_layout(pack, kind, advance) for kind in refs}
        for kind, directory in places.items():
            _restore(pack, directory, kind, layouts[kind], say, advance)
        if not index_file.is_file():
            _publish(index_file, pack.files[INDEX_FILE])
        _publish(target, pack.files[FEATURE_SET])
        return target


def _feature_set_file(pack: Pack, home: Path, *, replace: bool) -> Path:
    """Where the feature set goes, unless another one is there."""
    found = pack.feature_set
    names = {name: getattr(found, name) for name in ("dataset", "domain", "strong", "weak")}
    target = feature_set_path(home, **names)
    if target.exists() and not replace and not _same(target, found):
        raise StoreError(
            f"{target} is there already",
            expected="none, or the one that was packed",
            found="one that was made otherwise (`w2s-cache cache diff` says how)",
            fix="Unpack into another --cache-dir, or replace it with --force.",
        )
    return target


def _same(file: Path, found: FeatureSet) -> bool:
    try:
        return with_changes(load_feature_set(file), created=found.created) == found
    except CorruptStoreError:
        return False


def _refuse_other_rows(pack: Pack, home: Path) -> Path:
    """Where the index goes, unless one of other images is there."""
    found = pack.feature_set
    file = index_path(home, found.dataset, found.domain)
    if not file.is_file():
        return file
    index = read_index(file)
    if index.digest != found.index_digest:
        raise StoreError(
            f"{found.dataset}/{found.domain} has other images in {home}",
            expected=f"an index of digest {found.index_digest[:12]}",
            found=f"{counted(len(index), 'row')} of digest {index.digest[:12]}",
            fix="Unpack into another --cache-dir, or remove the domain first with "
            f"`{command_line('cache', 'rm', dataset=found.dataset, domain=found.domain)}`.",
        )
    return file


def _refuse_other_index(pack: Pack) -> None:
    """The file of the index must be that of its columns."""
    wanted = pack.feature_set.index_digest
    if (found := parse_index(pack.files[INDEX_FILE], source=INDEX_FILE).digest) != wanted:
        raise corrupt(pack.path, f"{INDEX_FILE} of digest {wanted}", found)


def _restore(
    pack: Pack,
    directory: Path,
    kind: str,
    layout: Layout,
    say: Callable[[str], None],
    advance: Callable[[int], None],
) -> None:
    manifest, path = pack.manifests[kind], members(pack.feature_set)[kind].path
    make_directory(directory)
    with writer_lock(directory, timeout=0, on_wait=None):
        if _is_there(directory, manifest):
            say(f"{path} is there already")
            advance(sum(_rest(shard) for shard in manifest.shards))
            return
        (directory / MANIFEST_FILE).unlink(missing_ok=True)  # what it listed is replaced now
        for number, shard in enumerate(manifest.shards):
            arrays = pack.arrays(kind, number, shard)
            publish(directory / shard.file, packed_shard(pack, kind, shard, arrays))
            advance(_rest(shard))
        if layout.failures is not None:
            publish(directory / FAILURES_FILE, layout.failures)
        else:
            remove(directory / FAILURES_FILE)  # that of the shards which were replaced
        text = pack.files[f"{kind}.{MANIFEST_FILE}"]
        if layout.shards != manifest.shards:
            say(f"{path}: the same numbers, laid out otherwise by this version of HDF5")
            text = manifest_to_json(with_changes(manifest, shards=layout.shards)).encode()
        publish(directory / MANIFEST_FILE, text)


def _place(pack: Pack, home: Path, kind: str, ref: StoreRef) -> Path:
    """The store's folder, which must be where stores of its kind and names are."""
    found = pack.feature_set
    above = [] if kind == "text" else [slug(found.domain)]
    *folders, leaf = PurePosixPath(ref.path).parts
    if folders != ["v1", slug(found.dataset), *above, kind] or not leaf.endswith(
        f"-{ref.key_digest[:12]}"
    ):
        raise corrupt(pack.path, f"a {kind} store in its place below the cache", repr(ref.path))
    directory = home / ref.path
    _refuse_outside(home, directory)
    return directory


def _refuse_outside(home: Path, path: Path) -> None:
    if not inside(home, path):
        raise StoreError(
            f"{path} is not written",
            expected=f"a place below {home / 'v1'}, links followed",
            found="a link that leads out of it",
            fix="Unpack into another --cache-dir.",
        )


def _is_there(directory: Path, manifest: Manifest) -> bool:
    """Whether the same store is in place, complete and sound."""
    if not (directory / MANIFEST_FILE).exists():
        return False
    try:
        stored = read_manifest(directory)
    except CorruptStoreError:
        return False
    if stored.key_digest != manifest.key_digest:
        raise StoreError(
            f"{directory} holds another store",
            expected=f"key {manifest.key_digest}",
            found=stored.key_digest,
            fix="Unpack into another --cache-dir.",
        )
    try:
        open_store(directory).verify()
    except StoreError:
        return False
    return True


def _rest(shard: Shard) -> int:
    """The bytes that were not counted when the shard was judged."""
    return shard.bytes - shard.bytes // 2


def _publish(path: Path, content: bytes) -> None:
    make_directory(path.parent)
    publish(path, content)
