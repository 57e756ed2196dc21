"""SIGKILL at every call that changes a file, and at random moments."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np

from faults.calls import Call, count_calls, watched
from faults.child import KILLED, begin, die, ended, killed_after
from faults.judge import Tally
from faults.system_calls import killed_at


class Trial(Protocol):
    """Something that is killed, and the judgement of what is left."""

    tally: Tally

    @property
    def below(self) -> Path:
        """The folder in which calls count."""
        ...

    def fresh(self) -> None:
        """Puts everything back to how it was before the work."""
        ...

    def work(self) -> None:
        """What is killed, in a child."""
        ...

    def judge(self) -> None:
        """Raises AssertionError where a law is broken."""
        ...


def kill_at_calls(trial: Trial, numbers: Iterable[int] | None = None, *, torn: bool = False) -> int:
    """Kills the work before its n-th call in Python that changes something, for each n.

    Args:
        trial: What is killed.
        numbers: Which of the calls that are visited, from zero; None for all.
        torn: Visit writes only, and let half of their bytes reach the file first.

    Returns:
        How many calls an undisturbed work makes.
    """
    trial.fresh()
    names = count_calls(trial.below, trial.work)
    every = [n for n, name in enumerate(names, 1) if name == "write" or not torn]
    for number in every if numbers is None else [every[n] for n in numbers if n < len(every)]:

        def at_call(call: Call, number: int = number) -> None:
            if call.number == number:
                if torn:
                    call.real(call.content[: len(call.content) // 2])
                die()

        trial.fresh()
        with watched(trial.below, at_call):
            code = ended(begin(trial.work))
        _judged(trial, code)
    return len(names)


def kill_at_system_calls(trial: Trial, *, every: int = 1, first: int = 1) -> int:
    """Kills the work before its n-th system call that changes something, for n = first, + every, ….

    Returns:
        How many such calls an undisturbed work makes.
    """
    number = first
    while True:
        trial.fresh()
        traced = killed_at(number, trial.work)
        if len(traced.calls) < number:
            assert traced.code == 0
            return len(traced.calls)
        _judged(trial, traced.code)
        number += every


def kill_at_moments(trial: Trial, *, kills: int, seed: int) -> None:
    """Kills the work at random moments until ``kills`` processes died of it."""
    generator = np.random.default_rng(seed)
    seconds = _duration(trial)
    while kills:
        trial.fresh()
        code = killed_after(generator.uniform(0, seconds), trial.work)
        if code == 0:  # it was done before the signal came
            trial.tally.trials += 1
            continue
        kills -= 1
        _judged(trial, code)


def _judged(trial: Trial, code: int) -> None:
    assert code == KILLED, f"ended with {code}"
    trial.tally.trials += 1
    trial.tally.kills += 1
    trial.judge()


def _duration(trial: Trial) -> float:
    """Seconds of the undisturbed work in a child, the shortest of three."""
    taken = []
    for _ in range(3):
        trial.fresh()
        start = time.perf_counter()
        assert ended(begin(trial.work)) == 0
        taken.append(time.perf_counter() - start)
    return min(taken)
