"""What computes: accelerators, cores, threads, memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator

from w2s_cache.counted import counted
from w2s_cache.doctor.finding import Finding

SECTION = "devices"
LITTLE_MEMORY = 4 << 30  # bytes; a ViT-L in float32, its images and the system


def device_findings() -> Iterator[Finding]:
    """Yields findings on CUDA, MPS, the CPU and its memory; imports torch."""
    import torch

    yield _cuda()
    mps = torch.backends.mps.is_available()
    yield _found("mps", "available (`--device mps`)" if mps else "not available")
    cores, threads = os.cpu_count() or 1, torch.get_num_threads()
    name = platform.processor() or platform.machine()
    yield _found(
        "cpu", f"{name}, {counted(cores, 'core')}, torch uses {counted(threads, 'thread')}"
    )
    yield _memory()


def _cuda() -> Finding:
    import torch

    if not torch.cuda.is_available():
        built = torch.version.cuda
        why = (
            f"torch is built for CUDA {built}, no device answers" if built else "torch without CUDA"
        )
        return _found("cuda", f"not available ({why})")
    names = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    shown = ", ".join(f"{n.name} ({n.total_memory / 1e9:.0f} GB)" for n in names)
    try:
        torch.ones(2, device="cuda").sum().item()
    except RuntimeError as error:  # a driver that is too old, a card torch has no kernels for
        return Finding(
            section=SECTION,
            name="cuda",
            level="fail",
            value=f"{shown}, but computing fails: {str(error).partition(chr(10))[0]}",
            fix="Install the torch build for this driver, or use --device cpu.",
        )
    return _found("cuda", shown)


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return _found("memory", "unknown on this system")
    value = f"{total / 1e9:.1f} GB"
    if total < LITTLE_MEMORY:
        fix = "Use a smaller --batch-size and fewer --workers for `w2s-cache extract`."
        return Finding(section=SECTION, name="memory", level="warn", value=value, fix=fix)
    return _found("memory", value)


def _found(name: str, value: str) -> Finding:
    return Finding(section=SECTION, name=name, level="ok", value=value)
