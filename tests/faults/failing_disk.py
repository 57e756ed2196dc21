"""A disk that is full, read-only, forbidden or broken, from some call on."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faults.calls import Call, count_calls, watched
from faults.child import answered
from faults.judge import Judge
from faults.runs import Runs
from w2s_cache.errors import RecordError, StoreWriteError

PAGE = 4096


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What the disk refuses: a call by name, with an error, from the n-th on or only then."""

    call: str
    error: int
    lasting: bool = True

    def __str__(self) -> str:
        return f"{self.call}: {errno.errorcode[self.error]}"


FAILURES = (
    Failure(call="write", error=errno.ENOSPC),
    Failure(call="write", error=errno.EDQUOT),
    Failure(call="open", error=errno.ENOSPC),  # no inode is left
    Failure(call="open", error=errno.EACCES),
    Failure(call="open", error=errno.EROFS),
    Failure(call="mkdir", error=errno.EACCES),
    Failure(call="replace", error=errno.EROFS),
    Failure(call="fsync", error=errno.EIO, lasting=False),
)


def fail_at_calls(judge: Judge, failure: Failure, *, every: int = 1) -> tuple[int, int]:
    """Lets the n-th call of a sort fail, for n = 1, 1 + every, …; then the disk is well again.

    A failing write first takes half of its bytes, as a disk that runs full does.

    Returns:
        How many extractions were refused by a sentence, and how many there were.
    """
    judge.fresh()
    names = count_calls(judge.home, judge.work)
    numbers = [n for n, name in enumerate(names, 1) if name == failure.call][::every]
    refused = 0
    for number in numbers:

        def fail(call: Call, number: int = number) -> None:
            due = call.number == number or (failure.lasting and call.number > number)
            if call.name == failure.call and due:
                if call.content and call.number == number:
                    call.real(call.content[: len(call.content) // 2])
                raise OSError(failure.error, os.strerror(failure.error))

        judge.fresh()
        with watched(judge.home, fail):
            refused += _refused(judge, f"{failure} at call {number}")
        assert not list(judge.home.rglob("*.tmp-*")), f"{failure} at call {number}"
        judge.judge()
    return refused, len(numbers)


def fill_to_the_byte(judge: Judge, budgets: range) -> int:
    """Lets the disk take only so many bytes of writes, for every budget; then it has space again.

    Returns:
        How many extractions were refused by a sentence.
    """
    refused = 0
    for budget in budgets:
        left = budget

        def spend(call: Call) -> None:
            nonlocal left
            if call.name == "write":
                taken = min(left, len(call.content))
                left -= taken
                if taken < len(call.content):
                    call.real(call.content[:taken])
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        judge.fresh()
        with watched(judge.home, spend):
            refused += _refused(judge, f"a disk of {budget} bytes")
        judge.judge()
    return refused


def fill_a_small_disk(judge: Judge, pages: range) -> int:
    """Extracts into a real file system of so many pages, which then grows; needs root.

    Returns:
        How many extractions were refused by a sentence.

    Raises:
        PermissionError: No file system can be mounted here.
    """
    refused = 0
    for count in pages:
        judge.fresh()
        with small_disk(judge.home, count * PAGE):
            refused += _refused(judge, f"a disk of {count} pages")
            _mount(judge.home, 64 << 20, again=True)
            judge.judge()
    return refused


def limit_run_files(runs: Runs, limits: range) -> int:
    """Trains where the kernel lets no file grow beyond so many bytes, then without a limit.

    Returns:
        How many trainings were refused by a sentence.
    """
    refused = 0
    for limit in limits:
        runs.fresh()
        code, sentence = answered(lambda limit=limit: trained_under(runs, limit))
        assert code == 0, f"a limit of {limit} bytes: {code}"
        refused += sentence != ""
        assert not list(runs.results.glob("*/*/*/.*")), f"a limit of {limit} bytes"
        runs.judge()
    return refused


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system of ``size`` bytes in memory, mounted at an existing folder.

    Raises:
        PermissionError: It cannot be mounted.
    """
    _mount(folder, size)
    try:
        yield
    finally:
        ctypes.CDLL(None).umount2(os.fsencode(folder), 2)


def _mount(folder: Path, size: int, *, again: bool = False) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    flags, options = 32 if again else 0, f"size={size}".encode()
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options):
        number = ctypes.get_errno()
        raise PermissionError(number, os.strerror(number), str(folder))


def _refused(judge: Judge, what: str) -> bool:
    """Whether an extraction is refused by the right sentence; False where it succeeds."""
    try:
        judge.work()
    except StoreWriteError as error:
        _says_what_to_do(error, what)
        return True
    except OSError as error:
        raise AssertionError(f"{what}: {error!r}") from error
    return False


def _says_what_to_do(error: StoreWriteError, what: str) -> None:
    assert "cannot write" in error.what, what
    assert "run the same command again" in error.fix, what


def trained_under(runs: Runs, limit: int) -> str:
    """Trains under a limit of bytes per file; returns the sentence, empty where it succeeds."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        runs.work()
    except RecordError as error:
        return str(error)
    return ""
