"""SIGKILL at a system call of the kernel, also those of libraries that are not Python (Linux).

A traced child stops at every system call; before the n-th one that can change a file it is killed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from faults.child import begin

CHANGING = {  # number → name, of the calls that can change what a disk holds
    "x86_64": {
        1: "write", 2: "open", 18: "pwrite64", 20: "writev", 73: "flock", 74: "fsync",
        75: "fdatasync", 76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir",
        85: "creat", 86: "link", 87: "unlink", 257: "openat", 258: "mkdirat", 263: "unlinkat",
        264: "renameat", 265: "linkat", 285: "fallocate", 316: "renameat2",
    },
    "aarch64": {
        32: "flock", 34: "mkdirat", 35: "unlinkat", 37: "linkat", 38: "renameat", 45: "truncate",
        46: "ftruncate", 47: "fallocate", 56: "openat", 64: "write", 66: "writev", 68: "pwrite64",
        82: "fsync", 83: "fdatasync", 276: "renameat2",
    },
}  # fmt: skip
TRACEME, SYSCALL, SETOPTIONS, SYSCALL_INFO = 0, 24, 0x4200, 0x420E
OPTIONS = 0x1 | 0x8 | 0x2 | 0x4 | 0x100000  # mark system calls; follow clone and fork; end with us
ENTRY, EVERY_THREAD = 1, 0x40000000
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Info(ctypes.Structure):
    """``struct ptrace_syscall_info`` at the entry of a call."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("arch", ctypes.c_uint32),
        ("pointers", ctypes.c_uint64 * 2),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


@dataclass(frozen=True, kw_only=True)
class Traced:
    """How a traced child ended: code or negative signal, and the changing calls it had begun."""

    code: int
    calls: tuple[str, ...]


def untraceable() -> str:
    """Why no child can be traced here; empty when one can."""
    if sys.platform != "linux" or platform.machine() not in CHANGING:
        return "needs ptrace of Linux on x86-64 or aarch64"
    try:
        code = killed_at(0, lambda: None).code
    except OSError as error:
        return f"ptrace is not allowed here: {error}"
    return "" if code == 0 else "ptrace does not work here"


def killed_at(number: int, work: Callable[[], object]) -> Traced:
    """Does ``work`` in a child that is killed before its n-th changing system call.

    Args:
        number: From one; zero kills nothing.
        work: What the child does.

    Raises:
        OSError: A child cannot be traced.
    """

    def traced() -> None:
        _ptrace(TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        work()

    child = begin(traced)
    os.waitpid(child, 0)
    try:
        _ptrace(SETOPTIONS, child, 0, OPTIONS)
        _ptrace(SYSCALL, child, 0, 0)
    except OSError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    return _followed(child, number)


def _followed(child: int, number: int) -> Traced:
    calls: list[str] = []
    while True:
        thread, status = os.waitpid(-1, EVERY_THREAD)
        if not os.WIFSTOPPED(status):
            if thread == child:
                return Traced(code=os.waitstatus_to_exitcode(status), calls=tuple(calls))
            continue
        stopped_by, passed_on = os.WSTOPSIG(status), 0
        if stopped_by == signal.SIGTRAP | 0x80:
            name = _changing_call(thread)
            if name:
                calls.append(name)
                if len(calls) == number:
                    os.kill(child, signal.SIGKILL)
                    continue
        elif not status >> 16 and stopped_by not in (signal.SIGSTOP, signal.SIGTRAP):
            passed_on = stopped_by
        try:
            _ptrace(SYSCALL, thread, 0, passed_on)
        except ProcessLookupError:
            continue  # the thread died with the process


def _changing_call(thread: int) -> str:
    info = _Info()
    try:
        _ptrace(SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
    except ProcessLookupError:
        return ""
    name = CHANGING[platform.machine()].get(info.number, "")
    if info.op != ENTRY or not name:
        return ""
    flags = {"open": 1, "openat": 2}.get(name)
    return "" if flags is not None and not info.arguments[flags] & WRITING else name


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, pid, address, data) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
