"""The pocket data set on disk."""

import errno
import os
import re
import socket
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from w2s_cache.data.pocket import (
    CLASSES,
    DOMAINS,
    TEST_SEEDS,
    TRAIN_SEEDS,
    draw,
    write_pocket,
    writing,
)
from w2s_cache.errors import DataError, StoreWriteError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with one training and two test pictures per class and domain."""
    place = tmp_path_factory.mktemp("pocket") / "set"
    write_pocket(place, train_per_class=1, test_per_class=2, workers=0)
    return place


def test_layout_and_lists_are_domainnets(root: Path) -> None:
    """Each list has one line per picture, ``path label``, and every path exists."""
    for domain, (part, count) in product(DOMAINS, {"train": 1, "test": 2}.items()):
        rows = [
            line.split(" ") for line in (root / f"{domain}_{part}.txt").read_text().splitlines()
        ]
        assert [int(label) for _, label in rows] == sorted(list(range(40)) * count)
        for path, label in rows:
            suffix = "png" if domain == "quickdraw" else "jpg"
            stem = f"{domain}/{CLASSES[int(label)]}/{domain}_{int(label) + 1:03d}_"
            assert path.startswith(stem)
            assert path.endswith(f".{suffix}")
            assert (root / path).is_file()
    assert len(list(root.rglob("*.*g"))) == 6 * 40 * 3


def test_files_hold_the_drawings_of_their_seeds(root: Path) -> None:
    """Train pictures use the train seeds and test pictures the test seeds, PNG without loss."""
    train = root / "quickdraw/fish/quickdraw_019_000001.png"
    test = root / "quickdraw/fish/quickdraw_019_000002.png"
    for path, seed in ((train, TRAIN_SEEDS[0]), (test, TEST_SEEDS[0])):
        with Image.open(path) as picture:
            assert picture.tobytes() == draw("fish", "quickdraw", seed).tobytes()
    with Image.open(root / "real/fish/real_019_000002.jpg") as picture:
        wanted = np.asarray(draw("fish", "real", TEST_SEEDS[0]), dtype=float)
        assert np.abs(np.asarray(picture, dtype=float) - wanted).mean() < 8


def test_a_finished_set_is_left_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call with the same counts draws nothing and says nothing."""
    monkeypatch.setattr(writing, "draw", None)
    said: list[str] = []
    write_pocket(root, train_per_class=1, test_per_class=2, workers=0, announce=said.append)
    assert said == []


def test_drawing_is_announced_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes minutes is said first, and with the default counts it is 16,800 images."""
    monkeypatch.setattr(writing, "_write_pictures", lambda *_: None)
    said: list[str] = []
    write_pocket(tmp_path / "set", announce=said.append)
    assert said == [f"drawing 16,800 images once, into {tmp_path / 'set'}"]


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the disk refuses while drawing, nothing half-drawn stays."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "_write_lists", full)
    monkeypatch.setattr(writing, "_write_pictures", lambda *_: None)
    with pytest.raises(StoreWriteError, match="No space left on device"):
        write_pocket(tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_other_counts_are_refused_and_nothing_is_changed(root: Path) -> None:
    """A root with other counts is an error, not a silent rewrite."""
    with pytest.raises(DataError, match="Remove the directory"):
        write_pocket(root, train_per_class=3, test_per_class=2, workers=0)


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a drawing fails half-way, neither the root nor a temporary directory remains."""

    def failing(name: str, domain: str, seed: int) -> Image.Image:
        if domain == "painting":
            raise RuntimeError("out of paint")
        return draw(name, domain, seed)

    monkeypatch.setattr(writing, "draw", failing)
    with pytest.raises(RuntimeError, match="out of paint"):
        write_pocket(tmp_path / "set", train_per_class=1, test_per_class=0, workers=0)
    assert list(tmp_path.iterdir()) == []


def test_worker_processes_write_the_same_bytes_and_report_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of workers changes nothing in the files; progress adds up to all pictures."""
    monkeypatch.setattr(writing, "CLASSES", CLASSES[:2])
    counts: list[int] = []
    for workers in (0, 1):
        write_pocket(
            tmp_path / str(workers),
            train_per_class=1,
            test_per_class=1,
            workers=workers,
            progress=counts.append,
        )
    here, there = (
        {p.relative_to(tmp_path / str(w)): p.read_bytes() for p in (tmp_path / str(w)).rglob("*.*")}
        for w in (0, 1)
    )
    assert here == there
    assert sum(counts) == 2 * len(DOMAINS) * 2 * 2


def test_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    """The folder of a killed process goes when somebody draws again; a living one's stays."""
    owner = ".set." + re.sub("[^A-Za-z0-9]", "-", socket.gethostname())
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = tmp_path / f"{owner}.{gone.pid}.abc"
    alive = tmp_path / f"{owner}.{os.getpid()}.abc"
    for folder in (dead, alive):
        folder.mkdir()
    write_pocket(tmp_path / "set", train_per_class=1, test_per_class=0, workers=0)
    assert sorted(tmp_path.iterdir()) == [alive, tmp_path / "set"]


@pytest.mark.parametrize("reason", ["No space left on device", "Read-only file system"])
def test_a_disk_that_refuses_is_an_error_in_four_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """A full or unwritable home is said, and nothing is left."""

    def failing(*_: object) -> None:
        raise OSError(errno.ENOSPC, reason)

    monkeypatch.setattr(writing, "draw", failing)
    with pytest.raises(StoreWriteError, match=f"found {reason}"):
        write_pocket(tmp_path / "set", train_per_class=1, test_per_class=0, workers=0)
    assert list(tmp_path.iterdir()) == []
