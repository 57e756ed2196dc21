"""Which device computes."""

from __future__ import annotations

import os

import torch

from w2s_cache.errors import EncoderError


def resolve_device(name: str) -> str:
    """``"auto"`` → ``"cuda"`` where CUDA works, else ``"cpu"``; other names stay as they are.

    Raises:
        EncoderError: This torch has no such device here.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # the latter: torch built without CUDA
        raise EncoderError(
            f"device {name!r}",
            expected="a device that torch can use here, e.g. 'cpu'",
            found=str(error).strip().partition("\n")[0].rstrip("."),
            fix="Write --device auto to take what there is.",
        ) from error
    return name


def leaves_cores_idle(device: str) -> bool:
    """Whether cores have nothing to do while a network computes on a device.

    On the CPU torch uses as many threads as it is allowed; where that is every core, a thread that
    decodes meanwhile makes all of them wait at the next barrier.
    """
    return device != "cpu" or torch.get_num_threads() < (os.cpu_count() or 1)
