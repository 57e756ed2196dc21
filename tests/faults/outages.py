"""Losses of power while an extraction, a run or a weak model is written, and after."""

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
from faults.runs import Runs, WeakModel
from w2s_cache.store.reader import read_manifest
from w2s_cache.store.shard import content_digest


def all_count(_: Path) -> bool:
    """Every flush does what it promises."""
    return True


def outages(
    judge: Judge, *, every: int = 1, flushes: Callable[[Path], bool] = all_count
) -> tuple[int, int]:
    """Loses power before every ``every``-th call of an extraction, in each way, and resumes.

    Args:
        judge: Judges what a resumed extraction ends with.
        every: One for all calls.
        flushes: Which flushes count, see ``recorded``.

    Returns:
        The number of states that were visited, and the most rows encoded twice in one.
    """
    judge.fresh()
    trial = replace(judge, home=judge.home.with_name("found"))
    counter, start = judge.extraction.encoded, judge.extraction.encoded.value
    extras: list[int] = []

    def lose_power(call: Call, disk: Disk) -> None:
        done = counter.value - start
        for loss in LOSSES if call.number % every == 0 else ():
            _found(disk, loss, trial.home, call.number)
            before = counter.value
            _nothing_is_listed_before_it_is_there(trial.home)
            trial.reader_sees_all_or_nothing()
            trial.work()
            again = done + counter.value - before - ROWS
            assert 0 <= again <= SHARD_ROWS, f"{loss} lost before call {call.number}: {again} rows"
            trial.is_whole()
            counter.add(before - counter.value)
            extras.append(again)

    graves = emptied(judge.home.with_name("graves"))
    with recorded(judge.home, graves, lose_power, flushes=flushes) as disk:
        judge.work()
    for loss in LOSSES:  # whatever was reported as done stays
        _found(disk, loss, trial.home, 0)
        assert judge.extraction.run(trial.home).reused, f"{loss} lost after the end"
        trial.is_whole()
    return len(extras) + len(LOSSES), max(extras, default=0)


def run_outages(trial: Runs | WeakModel, *, every: int = 1) -> int:
    """The same while runs are published or a weak model is kept; returns the states visited."""
    trial.fresh()
    folder, states = trial.below, 0
    kept = folder.with_name("kept")
    graves = emptied(folder.with_name("graves"))

    def judged(disk: Disk, loss: str, seed: int) -> None:
        """Puts the state in the trial's place, judges it, and brings back what was there."""
        nonlocal states
        folder.rename(kept)
        _found(disk, loss, folder, seed)
        trial.judge()
        shutil.rmtree(folder)
        kept.rename(folder)
        states += 1

    pending: list[tuple[str, int, Disk]] = []

    def lose_power(call: Call, disk: Disk) -> None:
        if call.number % every == 0:
            pending.extend((loss, call.number, disk.copy()) for loss in LOSSES)

    with recorded(folder, graves, lose_power) as disk:
        trial.work()
    for loss, seed, then in pending:
        judged(then, loss, seed)
    for loss in LOSSES:
        whole = trial.tally.whole
        judged(disk, loss, 0)
        assert trial.tally.whole == whole + 1, f"{loss} lost after the end"
    return states


def _found(disk: Disk, loss: str, home: Path, seed: int) -> None:
    shutil.rmtree(home, ignore_errors=True)
    disk.lose(loss, home, np.random.default_rng(seed))


def _nothing_is_listed_before_it_is_there(home: Path) -> None:
    for manifest in home.rglob("manifest.json"):
        for shard in read_manifest(manifest.parent).shards:
            content = (manifest.parent / shard.file).read_bytes()
            assert content_digest(content) == shard.digest, f"{shard.file} is listed, not written"
