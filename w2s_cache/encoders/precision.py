"""Compute precision of a frozen encoder: fp32, or bf16 / fp16 under autocast."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def compute_in(precision: str, device: str) -> AbstractContextManager[object]:
    """The context a forward pass runs in; outputs are upcast to float32 by the caller.

    Args:
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
        device: A torch device string.
    """
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=_DTYPES[precision])
