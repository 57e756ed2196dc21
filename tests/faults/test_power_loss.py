"""Law: a loss of power takes what was never flushed, and nothing that was reported as done."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from faults.judge import Judge
from faults.outages import outages, run_outages
from faults.power_loss import LOSSES, recorded
from faults.runs import WeakModel
from w2s_cache.errors import CorruptStoreError

NEVER = 1_000_000  # beyond the last call: the power fails after the end only


def test_power_may_fail_before_any_call(judge: Judge) -> None:
    """No manifest lists what is not there, and at most one shard is encoded twice."""
    states, extra = outages(judge, every=41)
    assert states > 30
    assert extra <= 4


def test_without_flushing_files_the_laws_break(judge: Judge) -> None:
    """The order matters: a name that arrives before its content is half a manifest."""
    with pytest.raises((AssertionError, CorruptStoreError)):
        outages(judge, every=20, flushes=lambda path: path.is_dir())


def test_without_flushing_directories_the_laws_break(judge: Judge) -> None:
    """A flushed file whose name never arrived is lost, and with it what was reported as done."""
    with pytest.raises(AssertionError, match="names lost after the end"):
        outages(judge, every=NEVER, flushes=lambda path: not path.is_dir())


def test_without_flushing_new_directories_the_laws_break(judge: Judge) -> None:
    """The same where the name is not the file's but that of a directory above it."""

    def files_alone(path: Path) -> bool:
        return not (path.is_dir() and any(entry.is_dir() for entry in path.iterdir()))

    with pytest.raises(AssertionError, match="names lost after the end"):
        outages(judge, every=NEVER, flushes=files_alone)


def test_a_weak_model_that_was_trained_is_kept(folder) -> None:
    """Power may fail while it is written: it is whole or trained again."""
    assert run_outages(WeakModel(folder=folder / "power" / "weak"), every=6) > 20


@pytest.mark.parametrize(
    ("loss", "left"),
    [
        ("content", {"flushed": b"new", "late": b""}),
        ("half the content", {"flushed": b"new", "late": b"la"}),
        ("content for zeros", {"flushed": b"new", "late": bytes(4)}),
        ("names", {"flushed": b"new"}),
    ],
)
def test_the_disk_forgets_what_was_not_promised(tmp_path, loss, left) -> None:
    """Flushed bytes and flushed names stay, all others go in the way that is asked for."""
    top, graves = tmp_path / "top", tmp_path / "graves"
    top.mkdir()
    graves.mkdir()
    with recorded(top, graves, lambda *_: None) as disk:
        for name, content, sync in (("flushed", b"new", True), ("late", b"late", False)):
            file = os.open(top / name, os.O_WRONLY | os.O_CREAT)
            os.write(file, content)
            if sync:
                os.fsync(file)
                folder = os.open(top, os.O_RDONLY)
                os.fsync(folder)
                os.close(folder)
            os.close(file)
    found = disk.lose(loss, tmp_path / "found", np.random.default_rng(0))
    assert loss in LOSSES
    assert {path.name: path.read_bytes() for path in found.iterdir()} == left
