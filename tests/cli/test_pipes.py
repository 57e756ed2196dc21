"""A pipe in the place of a file of the cache is refused or replaced, and never waited for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "manifest": "art/image/*/manifest.json",
    "shard": "art/logits/*/part-00000.h5",
    "failures": "art/image/*/failures.parquet",
    "lock": "art/image/*/.writer.lock",
    "owner": "art/image/*/.writer.json",
    "feature set": "art/sets/*.json",
    "index": "art/index.parquet",
    "file times": "art/stats.parquet",
    "weak model": "art/weak/*/weak.json",
    "weights": "art/weak/*/weights.safetensors",
    "class text": "text/*/part-00000.h5",
}


@pytest.fixture
def _no_waiting() -> Iterator[None]:
    """Whoever opens a pipe and waits is woken up: a failure, in place of a run without end."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")

    def wake(*_: object) -> None:
        raise AssertionError("a pipe was waited for")

    before = signal.signal(signal.SIGALRM, wake)
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("pattern", FILES.values(), ids=FILES)
def test_no_command_waits_for_a_pipe(
    cached: Any, w2s: Callable[..., Any], copy: Path, pattern: str
) -> None:
    """Every file of a cache: one sentence or a finished command, whichever command it is."""
    folder, _, name = pattern.rpartition("/")
    for place in (copy / "v1/tiny").glob(folder):
        (place / name.replace("*", "clip__net")).unlink(missing_ok=True)
        os.mkfifo(place / name.replace("*", "clip__net"))
    where = ("--spec", cached.spec, "--domain", "art", "--cache-dir", copy)
    results = ("--method", "weak", "--seeds", "0", "--results-dir", copy.parent / "r")
    for words in (
        ("ls", "--cache-dir", copy),
        ("cache", "verify", "--cache-dir", copy),
        ("cache", "gc", "--dry-run", "--cache-dir", copy),
        ("train", *where, *results),
        ("extract", *where),
    ):
        told = w2s(*words)
        assert told.exception is None or isinstance(told.exception, SystemExit), words
        assert told.exit_code in (0, 1)
        assert "Traceback" not in told.output
