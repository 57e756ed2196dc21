"""A warm process per trial: fork, do one thing, and say how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

KILLED = -signal.SIGKILL


def begin(work: Callable[[], object]) -> int:
    """Starts ``work`` in a forked process.

    Returns:
        The child's process id, to be given to :func:`ended`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # idle threads of libraries
        child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001  # nothing may leave the child
            os.write(2, traceback.format_exc().encode())
            os._exit(1)
        os._exit(0)
    return child


def ended(child: int) -> int:
    """Waits for a child: its exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(seconds: float, work: Callable[[], object]) -> int:
    """Starts ``work``, sends SIGKILL after ``seconds``, and says how it ended."""
    child = begin(work)
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return ended(child)


def answered(work: Callable[[], Any]) -> tuple[int, Any]:
    """Does ``work`` in a child and brings back what it returned, which is of JSON types.

    Returns:
        How the child ended, and the answer; None when it did not come to one.
    """
    inlet, outlet = os.pipe()

    def tell() -> None:
        with os.fdopen(outlet, "w") as pipe:
            json.dump(work(), pipe)

    child = begin(tell)
    os.close(outlet)
    with os.fdopen(inlet) as pipe:
        text = pipe.read()
    code = ended(child)
    return code, json.loads(text) if code == 0 else None


def die() -> None:
    """What ``kill -9`` does to the process that calls it."""
    os.kill(os.getpid(), signal.SIGKILL)
