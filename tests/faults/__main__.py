"""The long form: every fault many times, then ``docs/reliability.md``."""

from __future__ import annotations

import platform
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import torch

from faults import report
from faults.cli_kills import Program
from faults.extraction import Extraction
from faults.failing_disk import (
    FAILURES,
    fail_at_calls,
    fill_a_small_disk,
    fill_to_the_byte,
    limit_run_files,
)
from faults.flips import draw, flip_bytes
from faults.judge import Judge
from faults.kills import Trial, kill_at_calls, kill_at_moments, kill_at_system_calls
from faults.outages import outages, run_outages
from faults.place import emptied, scratch
from faults.runs import Runs, WeakModel
from faults.system_calls import untraceable
from w2s_cache import __version__

REPORT = Path(__file__).parents[2] / "docs" / "reliability.md"
RANDOM_KILLS, CLI_KILLS, FLIPS = 200, 12, 5000


def main() -> None:
    """Runs everything; the first broken law ends it with its sentence."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    with scratch() as folder:
        extraction = Extraction(folder=folder).prepare()
        rows = [*extractions(extraction), *others(extraction)]
        flips = flipped(extraction)
        failures = disks(extraction)
    text = report.page(
        when=f"{datetime.now(UTC):%Y-%m-%d}",
        where=f"{platform.system()} {platform.release()} on {platform.machine()}",
        versions={
            "w2s-cache": __version__,
            "Python": platform.python_version(),
            "h5py": h5py.__version__,
            "HDF5": h5py.version.hdf5_version,
            "pyarrow": pa.__version__,
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        minutes=(time.perf_counter() - start) / 60,
        kills=rows,
        outages=lost(extraction.folder),
        flips=flips,
        failures=failures,
    )
    REPORT.write_text(text, encoding="utf-8")
    say(f"wrote {REPORT}")


def extractions(extraction: Extraction) -> list[report.Kills]:
    """Kills of the tiny extraction."""
    home = extraction.folder / "home"
    rows = [
        counted("extract, before each call in Python", judge(extraction), kill_at_calls),
        counted(
            "extract, in the middle of each write",
            judge(extraction),
            lambda trial: kill_at_calls(trial, torn=True),
        ),
        counted(
            "extract, at random moments",
            judge(extraction),
            lambda trial: kill_at_moments(trial, kills=RANDOM_KILLS, seed=0),
        ),
    ]
    if not (why := untraceable()):
        rows.append(
            counted("extract, before each system call", judge(extraction), kill_at_system_calls)
        )
    else:
        say(f"no kills at system calls: {why}")
    program = Program(extraction=extraction, home=home)
    say("w2s-cache extract …")
    program.kill_at_moments(kills=CLI_KILLS, seed=0)
    return [*rows, report.Kills(what="the program itself, at random moments", tally=program.tally)]


def others(extraction: Extraction) -> list[report.Kills]:
    """Kills while run records are published and while a weak model is kept."""
    whole = judge(extraction)
    whole.work()
    kill = kill_at_calls if untraceable() else kill_at_system_calls
    rows = []
    for repeated, what in ((False, "train"), (True, "train over damaged runs")):
        folder = extraction.folder / f"repeated-{repeated}"
        names = {"extraction": extraction, "home": whole.home}
        runs = Runs(**names, results=folder / "results", repeated=repeated)
        rows.append(counted(f"{what}, before each system call", runs, kill))
        if not repeated:
            rows.append(
                counted(
                    f"{what}, at random moments",
                    Runs(**names, results=folder / "random" / "results"),
                    lambda trial: kill_at_moments(trial, kills=RANDOM_KILLS, seed=1),
                )
            )
    weak = WeakModel(folder=extraction.folder / "weak")
    return [*rows, counted("keep a weak model, before each system call", weak, kill)]


def lost(folder: Path) -> list[tuple[str, int, int]]:
    """Losses of power: what was disturbed, states visited, rows encoded twice."""
    del folder  # a fresh one: the recorded folder is the model's alone
    with scratch() as fresh:
        say("losses of power …")
        extraction = Extraction(folder=fresh).prepare()
        whole = judge(extraction)
        states = [("extract", *outages(whole))]
        whole.fresh()
        whole.work()
        runs = Runs(extraction=extraction, home=whole.home, results=fresh / "results" / "r")
        weak = WeakModel(folder=fresh / "weak" / "w")
        states.append(("train", run_outages(runs), 0))
        states.append(("keep a weak model", run_outages(weak), 0))
    return states


def flipped(extraction: Extraction) -> Counter[tuple[str, str]]:
    """Outcomes of flipped bytes."""
    say(f"{FLIPS} flipped bytes …")
    whole = judge(extraction)
    whole.work()
    return flip_bytes(whole, list(draw(whole.home, FLIPS, seed=0)))


def disks(extraction: Extraction) -> list[report.Failures]:
    """Outcomes of failing disks: what failed, extractions tried, extractions refused."""
    rows = []
    for failure in FAILURES:
        say(f"{failure} …")
        trial = judge(extraction)
        refused, tried = fail_at_calls(trial, failure)
        rows.append(report.Failures(what=str(failure), tried=tried, refused=refused))
    budgets = range(0, 120_000, 997)
    refused = fill_to_the_byte(judge(extraction), budgets)
    rows.append(report.Failures(what="so many bytes left", tried=len(budgets), refused=refused))
    pages = range(2, 70)
    try:
        refused = fill_a_small_disk(judge(extraction), pages)
        rows.append(report.Failures(what="a small tmpfs", tried=len(pages), refused=refused))
    except PermissionError as error:
        say(f"no small tmpfs: {error}")
    whole = judge(extraction)
    whole.work()
    runs = Runs(
        extraction=extraction, home=whole.home, results=extraction.folder / "limited" / "results"
    )
    limits = range(0, 8000, 250)
    refused = limit_run_files(runs, limits)
    rows.append(report.Failures(what="train, a limit of bytes", tried=len(limits), refused=refused))
    return rows


def counted(what: str, trial: Trial, kill: Callable[[Trial], object]) -> report.Kills:
    """One line of the table of kills."""
    say(f"{what} …")
    kill(trial)
    return report.Kills(what=what, tally=trial.tally)


def judge(extraction: Extraction) -> Judge:
    """A judge with an empty home."""
    return Judge(extraction=extraction, home=emptied(extraction.folder / "home"))


def say(text: str) -> None:
    """Tells who waits."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
