"""Whether the cache's file system does what the store relies on: it is tried, not looked up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from w2s_cache.doctor.finding import Finding, Level
from w2s_cache.doctor.space import nearest
from w2s_cache.errors import StoreWriteError
from w2s_cache.store.lock import NO_LOCKS
from w2s_cache.store.publish import publish

SECTION = "file system"
SECOND_PROCESS = """
import sys
from filelock import FileLock, Timeout
try:
    FileLock(sys.argv[1], fallback_to_soft=False).acquire(timeout=0)
except Timeout:
    sys.exit(7)
"""
REFUSED = 7  # the exit code of a second process that could not take the lock
TIMEOUT = 60.0  # seconds


def file_system_findings(home: Path) -> Iterator[Finding]:
    """Yields what writing, publishing, locking and case are like in a cache home.

    Works in a temporary folder, which is removed, in the home, or in the nearest folder above it
    that exists.
    """
    place = nearest(home)
    try:
        with tempfile.TemporaryDirectory(prefix=".w2s-cache-doctor-", dir=place) as name:
            folder = Path(name)
            yield _publishing(folder)
            yield _locks(folder)
            yield _case(folder)
    except OSError as error:
        fix = "Get write permission there, or choose another --cache-dir (W2S_CACHE_HOME)."
        yield _finding("write", "fail", f"{place}: {error.strerror or error}", fix)


def _publishing(folder: Path) -> Finding:
    """Temporary file, fsync, rename over what is there, fsync of the folder."""
    target = folder / "published"
    try:
        publish(target, b"before")
        publish(target, b"after")
    except StoreWriteError as error:
        return _finding("publish", "fail", error.found, error.fix)
    if target.read_bytes() != b"after" or len(list(folder.iterdir())) != 1:
        fix = "This file system loses renames: choose another --cache-dir."
        return _finding("publish", "fail", "a file that was replaced kept its content", fix)
    return _finding("publish", "ok", "write, fsync and atomic rename work")


def _locks(folder: Path) -> Finding:
    lock = FileLock(folder / "lock", fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
    except (OSError, Timeout, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno in NO_LOCKS:
            fix = "Prefer a local --cache-dir: what a killed process leaves may block others."
            value = "none on this file system: files that name their process stand for them"
            return _finding("locks", "warn", value, fix)
        fix = (
            "Choose a --cache-dir on a file system with locks, or never run two extractions there."
        )
        return _finding("locks", "fail", f"a lock cannot be taken: {error}", fix)
    try:
        done = subprocess.run(  # noqa: S603 - this Python with a program of our own
            [sys.executable, "-c", SECOND_PROCESS, os.fspath(folder / "lock")],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _finding("locks", "warn", f"could not be tried: {error}", "Try again.")
    finally:
        lock.release()
    if done.returncode == REFUSED:
        return _finding("locks", "ok", "a second process is kept out")
    if done.returncode == 0:
        fix = "Never run two extractions into it at once, or choose a local --cache-dir."
        return _finding("locks", "fail", "two processes can hold one lock here", fix)
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return _finding("locks", "warn", f"could not be tried: {last}", "Try again.")


def _case(folder: Path) -> Finding:
    (folder / "case").write_bytes(b"")
    if (folder / "CASE").exists():
        fix = "Give models, domains and data sets names that differ in more than case."
        return _finding("case", "warn", "names that differ only in case are one file here", fix)
    return _finding("case", "ok", "names that differ in case are different files")


def _finding(name: str, level: Level, value: str, fix: str = "") -> Finding:
    return Finding(section=SECTION, name=name, level=level, value=value, fix=fix)
