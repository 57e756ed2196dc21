"""SIGKILL during an extraction: at every call of the commit path, and at random moments."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from faults.calls import Call, count_calls, watched
from faults.child import KILLED, begin, die, ended, killed_after
from faults.extraction import ROWS, SHARD_ROWS, Extraction, files, violations
from faults.place import emptied
from w2s_cache.errors import StoreError


@dataclass(kw_only=True)
class Tally:
    """What a series of trials saw.

    Attributes:
        trials: How many processes were started.
        kills: How many of them the signal ended.
        readable: After how many kills everything could be read already.
        recomputed: Rows that were encoded once more than needed, largest of a trial.
        leftovers: Temporary files in the end outside of stores, of all trials.
    """

    trials: int = 0
    kills: int = 0
    readable: int = 0
    recomputed: int = 0
    leftovers: int = 0


@dataclass(kw_only=True)
class Judge:
    """Compares what a resumed extraction ends with with what an uninterrupted one does.

    Attributes:
        extraction: What is extracted.
        home: The cache home of all trials.
        tally: What was seen so far.
    """

    extraction: Extraction
    home: Path
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        """Runs once without interruption; that run is the truth."""
        self.extraction.run(emptied(self.home))
        self.files = files(self.home)
        self.numbers = self.extraction.numbers(self.home)

    def reader_sees_all_or_nothing(self) -> None:
        """Reading now gives the right numbers or is refused by a sentence."""
        with contextlib.suppress(StoreError):
            assert self.extraction.numbers(self.home) == self.numbers
            self.tally.readable += 1

    def resumes(self, before: int) -> None:
        """The same call again ends with the same files and encodes at most one shard again.

        Args:
            before: What ``extraction.encoded`` was before the trial.
        """
        self.extraction.run(self.home)
        extra = self.extraction.encoded.value - before - ROWS
        assert 0 <= extra <= SHARD_ROWS, f"{extra} rows were encoded again"
        self.is_whole()
        self.tally.recomputed = max(self.tally.recomputed, extra)

    def is_whole(self) -> None:
        """Every file is that of an uninterrupted run, no law is broken, and nothing is missing."""
        assert files(self.home) == self.files
        assert violations(self.home) == []
        assert self.extraction.numbers(self.home) == self.numbers
        assert self.extraction.run(self.home).reused
        self.tally.leftovers += len(list(self.home.rglob("*.tmp-*")))


def kill_at_calls(judge: Judge, numbers: Iterable[int] | None = None, *, torn: bool = False) -> int:
    """Kills a fresh extraction before call n, for each n.

    Args:
        judge: Judges what is left.
        numbers: Which calls; None for all, and one more where nothing is killed.
        torn: Writes first put half of their bytes on the disk; only writes are visited then.

    Returns:
        How many calls an uninterrupted extraction makes.
    """
    names = count_calls(emptied(judge.home), lambda: judge.extraction.run(judge.home))
    every = [n for n, name in enumerate(names, 1) if name == "write" or not torn]
    for number in every if numbers is None else [every[n] for n in numbers]:

        def at_call(call: Call, number: int = number) -> None:
            if call.number == number:
                if torn:
                    call.real(call.content[: len(call.content) // 2])
                die()

        def work(at_call: Callable[[Call], None] = at_call) -> None:
            with watched(judge.home, at_call):
                judge.extraction.run(judge.home)

        before = judge.extraction.encoded.value
        emptied(judge.home)
        assert ended(begin(work)) == KILLED
        _judged(judge, before)
    return len(names)


def kill_at_moments(judge: Judge, *, kills: int, seed: int) -> None:
    """Kills fresh extractions at random moments until ``kills`` of them died of it."""
    generator = np.random.default_rng(seed)
    seconds = _duration(judge)
    while kills:
        before = judge.extraction.encoded.value
        emptied(judge.home)
        moment = generator.uniform(0, seconds)
        if killed_after(moment, lambda: judge.extraction.run(judge.home)) != KILLED:
            judge.tally.trials += 1
            continue
        kills -= 1
        _judged(judge, before)


def _judged(judge: Judge, before: int) -> None:
    judge.tally.trials += 1
    judge.tally.kills += 1
    judge.reader_sees_all_or_nothing()
    judge.resumes(before)


def _duration(judge: Judge) -> float:
    """Seconds of an uninterrupted extraction in a child, the shortest of three."""
    taken = []
    for _ in range(3):
        emptied(judge.home)
        start = time.perf_counter()
        assert ended(begin(lambda: judge.extraction.run(judge.home))) == 0
        taken.append(time.perf_counter() - start)
    return min(taken)
