"""Losses of power during and after an extraction."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from faults.calls import Call
from faults.extraction import ROWS, SHARD_ROWS
from faults.judge import Judge
from faults.place import emptied
from faults.power_loss import LOSSES, Disk, recorded
from w2s_cache.store.reader import read_manifest
from w2s_cache.store.shard import content_digest


def outages(
    judge: Judge,
    *,
    every: int = 1,
    flushes: Callable[[Path], bool] = lambda _: True,
) -> tuple[int, int]:
    """Loses power before every ``every``-th call of an extraction, in each way, and resumes.

    Args:
        judge: Judges what a resumed extraction ends with.
        every: One for all calls.
        flushes: Which flushes count, see ``recorded``.

    Returns:
        The number of states that were visited, and the most rows encoded twice in one.
    """
    trial = replace(judge, home=judge.home.with_name("found"))
    start, states, extra = judge.extraction.encoded.value, 0, 0

    def lose_power(call: Call, disk: Disk) -> None:
        nonlocal states, extra
        if call.number % every:
            return
        done = judge.extraction.encoded.value - start
        for loss in LOSSES:
            _found(disk, loss, trial.home, call.number)
            before = judge.extraction.encoded.value
            _nothing_is_listed_before_it_is_there(trial.home)
            trial.reader_sees_all_or_nothing()
            judge.extraction.run(trial.home)
            again = done + judge.extraction.encoded.value - before - ROWS
            assert 0 <= again <= SHARD_ROWS, f"{loss} lost before call {call.number}: {again} rows"
            trial.is_whole()
            judge.extraction.encoded.add(before - judge.extraction.encoded.value)
            states, extra = states + 1, max(extra, again)

    graves = emptied(judge.home.with_name("graves"))
    with recorded(emptied(judge.home), graves, lose_power, flushes=flushes) as disk:
        judge.extraction.run(judge.home)
    for loss in LOSSES:  # whatever was reported as done stays
        _found(disk, loss, trial.home, 0)
        assert judge.extraction.run(trial.home).reused, f"{loss} lost after the end"
        trial.is_whole()
        states += 1
    return states, extra


def _found(disk: Disk, loss: str, home: Path, seed: int) -> None:
    shutil.rmtree(home, ignore_errors=True)
    disk.lose(loss, home, np.random.default_rng(seed))


def _nothing_is_listed_before_it_is_there(home: Path) -> None:
    for manifest in home.rglob("manifest.json"):
        for shard in read_manifest(manifest.parent).shards:
            content = (manifest.parent / shard.file).read_bytes()
            assert content_digest(content) == shard.digest, f"{shard.file} is listed, not written"
