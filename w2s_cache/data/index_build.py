"""From a listing to an index: the size and the sha256 of every image."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_ISREG

import numpy as np

from w2s_cache.data.file_stats import FileStat, read_stats, write_stats
from w2s_cache.data.images import Content, IndexedFile
from w2s_cache.data.listing import Listing
from w2s_cache.errors import DataError, StoreWriteError
from w2s_cache.store.index import UNREAD, Index
from w2s_cache.store.regular_file import not_regular, open_regular

__all__ = ["build_index", "indexed_file"]

_BLOCK = 256  # paths in hand at once: an interrupt waits for no more than the files being read
_CHUNK = 1 << 20  # bytes read at once
_NOTHING = FileStat(size=0, mtime_ns=0, ctime_ns=0, inode=0, sha256=UNREAD)
_SETTLED_NS = 2_000_000_000  # coarsest clock of a common file system (FAT), in ns


def build_index(  # noqa: PLR0913  all but two keyword-only
    listing: Listing,
    root: Path,
    *,
    previous: Index | None = None,
    stats_path: Path | None = None,
    reread: bool = False,
    workers: int = 4,
    progress: Callable[[int], None] | None = None,
    on_unreadable: Callable[[str, OSError], None] | None = None,
) -> Index:
    """Read every image of a listing once and index it.

    Args:
        listing: The rows.
        root: The data root its paths are relative to.
        previous: The index of an earlier build. A remembered hash is used only where it agrees with
            it, so a side file from elsewhere cannot vouch for anything.
        stats_path: Side file; images whose size, inode and times are the remembered ones are not
            read again. None reads all.
        reread: Read all, whatever is remembered.
        workers: Reading threads.
        progress: Called with the number of images just done.
        on_unreadable: Called with the path and the error of an image that is absent, no regular
            file or cannot be read, which keeps its row with the digest `UNREAD`; None refuses such
            an image.

    Raises:
        DataError: If an image is absent, no regular file or cannot be read, or changes while it is
            read.
    """
    base = root.resolve()
    known = read_stats(stats_path, base) if stats_path is not None and not reread else {}
    if previous is not None:
        known = _confirmed(known, previous)
    paths = [entry.path for entry in listing.entries]
    started = time.time_ns()
    stats: list[FileStat] = []
    pool = ThreadPoolExecutor(workers, thread_name_prefix="index")
    try:
        for start in range(0, len(paths), _BLOCK):
            block = paths[start : start + _BLOCK]
            stats += _block_stats(pool, base, block, known, on_unreadable)
            if progress is not None:
                progress(len(block))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if stats_path is not None:
        found = dict(zip(paths, stats, strict=True))
        _remember(stats_path, base, found, known, before=started - _SETTLED_NS)
    return Index(
        dataset=listing.dataset,
        domain=listing.domain,
        classes=listing.classes,
        paths=tuple(paths),
        labels=np.array([entry.label for entry in listing.entries], dtype=np.int64),
        is_train=np.array([entry.split == "train" for entry in listing.entries], dtype=np.bool_),
        sizes=np.array([stat.size for stat in stats], dtype=np.int64),
        sha256=tuple(stat.sha256 for stat in stats),
    )


def indexed_file(index: Index, row: int, root: Path) -> IndexedFile:
    """The file of a row below a data root, which is decoded only if it is the one indexed."""
    content = Content(size=int(index.sizes[row]), sha256=index.sha256[row])
    return IndexedFile(path=root / index.paths[row], content=content)


def _confirmed(known: Mapping[str, FileStat], previous: Index) -> dict[str, FileStat]:
    trusted = dict(zip(previous.paths, previous.sha256, strict=True))
    return {path: stat for path, stat in known.items() if trusted.get(path) == stat.sha256}


def _remember(
    stats_path: Path,
    root: Path,
    found: Mapping[str, FileStat],
    known: Mapping[str, FileStat],
    *,
    before: int,
) -> None:
    """Store what was seen, but no file so fresh that a later change could carry the same time."""
    settled = {
        path: stat
        for path, stat in found.items()
        if stat.mtime_ns < before and stat.sha256 != UNREAD
    }
    if settled != known:
        with contextlib.suppress(StoreWriteError):  # it only saves time: a cache may be read-only
            write_stats(stats_path, root, settled)


def _block_stats(
    pool: ThreadPoolExecutor,
    root: Path,
    block: Sequence[str],
    known: Mapping[str, FileStat],
    on_unreadable: Callable[[str, OSError], None] | None,
) -> list[FileStat]:
    """Unchanged files keep the hash in ``known`` and cost one system call, others are read."""
    stats = {path: known[path] for path in block if _unchanged(root, path, known.get(path))}
    changed = [path for path in block if path not in stats]
    for path, seen in zip(changed, pool.map(lambda p: _stat(root, p), changed), strict=True):
        if isinstance(seen, FileStat):
            stats[path] = seen
        elif on_unreadable is None:
            raise _unreadable(root, path, seen)
        else:
            on_unreadable(path, seen)
            stats[path] = _NOTHING
    return [stats[path] for path in block]


def _unchanged(root: Path, path: str, known: FileStat | None) -> bool:
    if known is None:
        return False
    try:
        return known.still(os.stat(f"{root}/{path}"))  # noqa: PTH116 - a Path costs more than the call
    except OSError:
        return False  # whoever reads the file says what is wrong


def _unreadable(root: Path, path: str, error: OSError) -> DataError:
    vanished = isinstance(error, FileNotFoundError)
    refused = DataError(
        f"image {path!r} below {root}",
        expected="a file that can be read",
        found="a file that vanished after it was listed" if vanished else f"{error.strerror}",
        fix="Leave the data set alone while it is read, and run the command again; or leave such "
        "images out: extract with --on-error skip.",
    )
    refused.__cause__ = error
    return refused


def _stat(root: Path, path: str) -> FileStat | OSError:
    """Size, time and hash of one file, or why it cannot be read."""
    try:
        before = (root / path).stat()
        if not S_ISREG(before.st_mode):
            return not_regular(root / path)
        sha = _sha256(root / path)
        after = (root / path).stat()
    except OSError as error:
        return error
    seen = FileStat.of(before, sha)
    if not seen.still(after):
        raise DataError(
            f"image {path!r} below {root}",
            expected="a file that stays as it is",
            found="a file that changed while it was read",
            fix="Leave the data set alone while it is read, and run the command again.",
        )
    return seen


def _sha256(path: Path) -> str:
    state = hashlib.sha256()
    with open_regular(path, buffering=0) as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()
