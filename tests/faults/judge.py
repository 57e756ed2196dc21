"""After a fault readers see all or nothing, and the same call again ends right."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from faults.extraction import ROWS, SHARD_ROWS, Extraction, files, violations
from faults.place import emptied
from w2s_cache.errors import StoreError


@dataclass(kw_only=True)
class Tally:
    """What a series of trials saw.

    Attributes:
        trials: How many processes were started.
        kills: How many of them the signal ended.
        whole: After how many kills everything was there already.
        recomputed: Rows that were encoded once more than needed, largest of a trial.
        leftovers: Temporary files that nobody removed, of all trials.
    """

    trials: int = 0
    kills: int = 0
    whole: int = 0
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
        self.fresh()

    @property
    def below(self) -> Path:
        """The folder in which calls count."""
        return self.home

    def fresh(self) -> None:
        """An empty home, and rows counted from zero."""
        emptied(self.home)
        self.before = self.extraction.encoded.value

    def work(self) -> None:
        """What is disturbed."""
        self.extraction.run(self.home)

    def judge(self) -> None:
        """All laws of an interrupted extraction."""
        self.reader_sees_all_or_nothing()
        self.extraction.run(self.home)
        self.recomputed_at_most_a_shard()
        self.is_whole()

    def reader_sees_all_or_nothing(self) -> None:
        """Reading now gives the right numbers or is refused by a sentence."""
        with contextlib.suppress(StoreError):
            assert self.extraction.numbers(self.home) == self.numbers
            self.tally.whole += 1

    def recomputed_at_most_a_shard(self) -> None:
        """Before and after the fault together, at most one shard was encoded twice."""
        extra = self.extraction.encoded.value - self.before - ROWS
        assert 0 <= extra <= SHARD_ROWS, f"{extra} rows were encoded again"
        self.tally.recomputed = max(self.tally.recomputed, extra)

    def is_whole(self) -> None:
        """Every file is that of an uninterrupted run, no law is broken, and nothing is missing."""
        assert files(self.home) == self.files
        assert violations(self.home) == []
        assert self.extraction.numbers(self.home) == self.numbers
        assert self.extraction.run(self.home).reused
        self.tally.leftovers += len(list(self.home.rglob("*.tmp-*")))
