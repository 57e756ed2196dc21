"""The page about reliability, from what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faults.extraction import ROWS, SHARD_ROWS
from faults.flips import KINDS, OUTCOMES
from faults.judge import Tally

INTRODUCTION = """# Reliability

Written by `make faults`, which needs no network and no GPU. Run it again after a change to the
store, to extraction or to the run records; a law that breaks ends it with a sentence. `make test`
runs a short form of each part (`tests/faults/`).

This run took {minutes:.0f} minutes on {when}, on {where}, with
{versions}.

All trials use one tiny data set: {rows} images, one of which cannot be decoded and is skipped,
shards of {shard_rows} rows, an encoder of pixel means, imported weak logits. What is disturbed is
the real code from `extract_domain` and `run_study` down.
"""
KILLS = """
## Killed processes

SIGKILL ends the process, then the same command runs again. Laws, of every kill: what can be read
before that is right or refused; afterwards every file is byte for byte that of an undisturbed run
(`created` and the times of run records excepted), `check_store` and `check_run` find nothing, a
further run computes nothing, and over both runs at most one shard of {shard_rows} rows was
encoded twice. A run record is there whole or not at all; a weak model is there whole or trained
again.

| what, and when | processes | killed | whole already | rows twice, at most | leftovers |
|---|---|---|---|---|---|
{table}

Calls in Python are those by which files change (open to write, write, truncate, fsync, rename,
unlink, mkdir, flock, close); system calls are those of the kernel, of the libraries below too,
met by tracing the process. Leftovers are temporary files that stayed, summed over all trials. In
stores and beside weak models the next writer removes them. Beside an index or a feature set a
killed process may leave `*.tmp-*`, which `w2s-cache cache gc` removes, beside a run `.*.partial`,
which may be deleted when nothing is running; no reader looks at either.
"""
OUTAGES = """
## Losses of power

A model of an unlucky disk follows the process call by call: it keeps what was flushed (the bytes
of a file at its last fsync, the names in a directory at its last fsync) and may forget all else.
Before every call, and after the end, the power fails in five ways: unflushed content is empty,
cut in half or zeros though its name arrived; unflushed names are lost; or a random mixture. The
laws are those of kills, and further: no manifest lists a shard whose bytes are not all there, and
what was reported as done is there. The same model with fsync of files, or of directories, left
out breaks these laws, which a test asserts.

| what was disturbed | states visited | rows encoded twice, at most |
|---|---|---|
{table}
"""
FLIPS = """
## Flipped bytes

{count:,} times one byte of a whole cache was changed (one bit, or any value; every kind of file
as often), then read as training does, and extracted again. No number changed silently, and no
error was a traceback.

| file | {outcomes} |
|---|{lines}|
{table}

"Refused, healed": reading names the damage and the next `extract` computes anew what it hit.
"Refused, refused": `extract` refuses too and says what to delete. "Right, refused": what was hit
is not read in training (the shape of tokens), what is read is right, and `extract` says what to
delete.
"Harmless": everything reads as before and `extract` goes on (free facts, white space, padding;
failures only explain, the side file only saves time).
"""
FAILURES = """
## Disks that refuse

From the n-th call of its sort on, for each n, the call fails (fsync only once; a failing write
first takes half of its bytes); then the disk is well and the same command runs again. Laws: one
sentence that says what to do, no temporary file left, and the laws of kills. "So many bytes left"
counts every byte written; "a small tmpfs" is a real file system of 2 to 69 pages; "a limit of
bytes" is the kernel's own on the size of a file. An extraction that is not refused met the
failure where nothing depends on it.

| what failed | tried | refused |
|---|---|---|
{table}
"""


@dataclass(frozen=True, kw_only=True)
class Kills:
    """One series of kills."""

    what: str
    tally: Tally


@dataclass(frozen=True, kw_only=True)
class Failures:
    """One series of failing disks."""

    what: str
    tried: int
    refused: int


def page(
    *,
    when: str,
    where: str,
    versions: Mapping[str, str],
    minutes: float,
    kills: Sequence[Kills],
    outages: Sequence[tuple[str, int, int]],
    flips: Counter[tuple[str, str]],
    failures: Sequence[Failures],
) -> str:
    """The whole page as Markdown."""
    introduction = INTRODUCTION.format(
        minutes=minutes,
        when=when,
        where=where,
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
        rows=ROWS,
        shard_rows=SHARD_ROWS,
    )
    parts = [
        introduction,
        KILLS.format(shard_rows=SHARD_ROWS, table=rows(map(_killed, kills))),
        OUTAGES.format(table=rows(outages)),
        FLIPS.format(
            count=flips.total(),
            outcomes=" | ".join(OUTCOMES),
            lines="|".join("---" for _ in OUTCOMES),
            table=rows((kind, *(flips[kind, outcome] for outcome in OUTCOMES)) for kind in KINDS),
        ),
        FAILURES.format(table=rows((f.what, f.tried, f.refused) for f in failures)),
    ]
    return "".join(parts)


def rows(cells: object) -> str:
    """Lines of a Markdown table."""
    return "\n".join(f"| {' | '.join(_shown(cell) for cell in row)} |" for row in cells)


def _killed(series: Kills) -> tuple[object, ...]:
    tally, extracts = series.tally, series.what.startswith("extract")
    twice = tally.recomputed if extracts else "–"
    return series.what, tally.trials, tally.kills, tally.whole, twice, tally.leftovers


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
