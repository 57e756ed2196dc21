"""Sizes and hashes of images."""

import hashlib
import os
import threading
import time

import numpy as np
import pytest

from w2s_cache.data import index_build
from w2s_cache.data.domainnet import read_domainnet
from w2s_cache.data.file_stats import read_stats, write_stats
from w2s_cache.data.index_build import build_index
from w2s_cache.errors import DataError
from w2s_cache.store import publish
from w2s_cache.store.index import read_index, write_index

TRAIN = ["clipart/axe/1.jpg 0", "clipart/bee/2 b.jpg 1"]
TEST = ["clipart/axe/3.jpg 0", "clipart/bee/ü 4.jpg 1"]
HOUR = 3600 * 10**9


@pytest.fixture
def toys(listed):
    """A root and the listing of its four files, all an hour old."""
    root = listed(TRAIN, TEST)
    past = time.time_ns() - HOUR
    for file in root.rglob("*.jpg"):
        os.utime(file, ns=(past, past))
    return root, read_domainnet(root, "clipart")


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that are read for hashing."""
    seen = []
    real = index_build._sha256

    def spy(path):
        seen.append(path.name)
        return real(path)

    monkeypatch.setattr(index_build, "_sha256", spy)
    return seen


def test_sizes_and_hashes_are_those_of_the_files(toys):
    """Each row has the byte count and the sha256 of its file, its label and its half."""
    root, listing = toys
    index = build_index(listing, root, workers=2)
    for i, path in enumerate(index.paths):
        content = (root / path).read_bytes()
        assert index.sizes[i] == len(content)
        assert index.sha256[i] == hashlib.sha256(content).hexdigest()
    assert index.labels.tolist() == [0, 0, 1, 1]
    assert index.is_train.tolist() == [True, False, True, False]


def test_workers_and_side_file_do_not_change_the_index(toys, tmp_path):
    """One thread or many, cold or warm: the same digest."""
    root, listing = toys
    first = build_index(listing, root, workers=1).digest
    for _ in range(2):
        assert build_index(listing, root, stats_path=tmp_path / "s", workers=3).digest == first


def test_moving_the_data_root_keeps_the_digest(toys, tmp_path):
    """Row identity is relative to the root."""
    root, listing = toys
    first = build_index(listing, root)
    moved = root.rename(tmp_path / "elsewhere")
    assert build_index(listing, moved).digest == first.digest


def test_warm_build_reads_only_what_changed(toys, reads, tmp_path):
    """Unchanged size and time spare the reading; a touched file is read again."""
    root, listing = toys
    stats = tmp_path / "cache" / "stats.parquet"
    build_index(listing, root, stats_path=stats)
    assert sorted(reads) == ["1.jpg", "2 b.jpg", "3.jpg", "ü 4.jpg"]
    reads.clear()
    build_index(listing, root, stats_path=stats)
    assert reads == []
    (root / "clipart/axe/3.jpg").write_text("other")
    changed = build_index(listing, root, stats_path=stats)
    assert reads == ["3.jpg"]
    assert changed.sha256[1] == hashlib.sha256(b"other").hexdigest()


def test_an_image_replaced_under_its_old_size_and_time_is_read_again(toys, reads, tmp_path):
    """Whoever sets a file's time back does not set back when its entry changed."""
    root, listing = toys
    image = root / "clipart/axe/3.jpg"
    before = image.stat()
    first = build_index(listing, root, stats_path=tmp_path / "s")
    image.write_bytes(bytes(before.st_size))
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    reads.clear()
    assert build_index(listing, root, stats_path=tmp_path / "s").digest != first.digest
    assert reads == ["3.jpg"]


def test_rereading_trusts_nothing_that_is_remembered(toys, reads, tmp_path):
    """`reread` reads every image, and what it saw is remembered for the next time."""
    root, listing = toys
    for expected in (4, 4, 0):
        reads.clear()
        reread = expected == 4
        build_index(listing, root, stats_path=tmp_path / "s", reread=reread)
        assert len(reads) == expected


def test_fresh_files_are_not_remembered(toys, reads, tmp_path):
    """A file written just now could change again within one tick of the clock, unseen."""
    root, listing = toys
    (root / "clipart/axe/3.jpg").write_text("fresh")
    for _ in range(2):
        build_index(listing, root, stats_path=tmp_path / "s")
    assert reads.count("3.jpg") == 2
    assert reads.count("1.jpg") == 1


def test_side_file_of_another_root_is_not_used(toys, reads, tmp_path):
    """The same relative paths below another root are other files."""
    root, listing = toys
    build_index(listing, root, stats_path=tmp_path / "s")
    moved = root.rename(tmp_path / "elsewhere")
    reads.clear()
    build_index(listing, moved, stats_path=tmp_path / "s")
    assert len(reads) == 4


def test_side_file_that_contradicts_the_previous_index_is_not_used(toys, reads, tmp_path):
    """With a previous index at hand, a remembered hash must agree with it."""
    root, listing = toys
    index = build_index(listing, root, stats_path=tmp_path / "s")
    write_index(tmp_path / "index.parquet", index)
    previous = read_index(tmp_path / "index.parquet")
    reads.clear()
    build_index(listing, root, previous=previous, stats_path=tmp_path / "s")
    assert reads == []
    other = type(index)(
        **{
            name: getattr(index, name)
            for name in ("dataset", "domain", "classes", "paths", "labels", "is_train", "sizes")
        },
        sha256=("0" * 64, *index.sha256[1:]),
    )
    build_index(listing, root, previous=other, stats_path=tmp_path / "s")
    assert reads == ["1.jpg"]


@pytest.mark.parametrize("content", [b"", b"no parquet"])
def test_broken_side_file_costs_one_reading_and_nothing_else(toys, reads, tmp_path, content):
    """The side file saves time only."""
    root, listing = toys
    (tmp_path / "s").write_bytes(content)
    assert build_index(listing, root, stats_path=tmp_path / "s").digest
    assert len(reads) == 4
    assert len(read_stats(tmp_path / "s", root.resolve())) == 4


def test_side_file_that_cannot_be_written_changes_nothing(toys, tmp_path):
    """The side file only saves time: where it cannot be written, the index is the same."""
    root, listing = toys
    (tmp_path / "side").mkdir()
    built = build_index(listing, root, stats_path=tmp_path / "side")
    assert built.digest == build_index(listing, root).digest
    assert list((tmp_path / "side").iterdir()) == []


def test_progress_counts_every_image_once(toys):
    """The numbers given to the progress callback add up to the number of images."""
    root, listing = toys
    steps = []
    build_index(listing, root, progress=steps.append)
    assert sum(steps) == 4


def test_vanished_image_is_named(toys):
    """A file that goes between listing and hashing stops the build by name."""
    root, listing = toys
    (root / "clipart/bee/2 b.jpg").unlink()
    with pytest.raises(DataError, match="vanished") as caught:
        build_index(listing, root)
    assert "'clipart/bee/2 b.jpg'" in str(caught.value)


def test_image_that_changes_while_it_is_read_is_refused(toys, monkeypatch):
    """A hash of half the old and half the new content would name nothing."""
    root, listing = toys

    def grow(path):
        path.write_text("grown while read")
        return "0" * 64

    monkeypatch.setattr(index_build, "_sha256", grow)
    with pytest.raises(DataError, match="changed while it was read"):
        build_index(listing, root)


def test_interrupt_leaves_no_thread(toys, monkeypatch):
    """An interrupt in the middle of a build stops its threads."""
    root, listing = toys
    monkeypatch.setattr(index_build, "_BLOCK", 1)
    steps = iter([None])

    def progress(_):
        if next(steps, "end") == "end":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(listing, root, progress=progress)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("index")]


def test_index_arrays_have_their_dtypes(toys):
    """Labels and sizes are int64, the split is bool."""
    root, listing = toys
    index = build_index(listing, root)
    assert (index.labels.dtype, index.sizes.dtype) == (np.int64, np.int64)
    assert index.is_train.dtype == np.bool_


def test_the_side_file_is_flushed_before_it_takes_its_place(tmp_path, monkeypatch):
    """Its bytes are on the disk before its name is, under a name that gc takes for temporary."""
    flushed, real = [], publish._sync

    def flush(path, flags):
        flushed.append(path.name)
        real(path, flags)

    monkeypatch.setattr(publish, "_sync", flush)
    write_stats(tmp_path / "d" / "stats.parquet", tmp_path, {})
    assert any(name.startswith("stats.parquet.tmp-") for name in flushed)
    assert [file.name for file in (tmp_path / "d").iterdir()] == ["stats.parquet"]
