"""Freed memory stays with the process that asks for it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from w2s_cache.freed_memory import keep_freed_memory

GLIBC = platform.libc_ver()[0] == "glibc"
BLOCK = 40 << 20  # bytes; glibc gives blocks of 32 MiB and more back whatever it has learnt
PROGRAM = f"""
import resource, sys
from w2s_cache.freed_memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(b"1") * {BLOCK}
before = faults()
for _ in range(5):
    bytearray(b"1") * {BLOCK}
print(faults() - before)
"""


def faults(how: str) -> int:
    """Page faults of a process that takes and frees five large blocks after a first one."""
    # the environment may set glibc's own switches, which is what is tested here
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_TUN"))}
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not GLIBC, reason="malloc is not glibc's: keep_freed_memory does nothing")
def test_large_blocks_are_taken_from_the_kernel_once() -> None:
    """After the first time no page of a block is new."""
    pages = BLOCK // os.sysconf("SC_PAGE_SIZE")
    assert faults("plain") >= 5  # at least one fault a block, however large the kernel's pages are
    assert faults("keep") < pages // 100


def test_where_malloc_is_another_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an error nor a call into the C library."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr("ctypes.CDLL")
    keep_freed_memory()
