"""The digest of a model's numbers, whatever file they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch


def weights_digest(state: Mapping[str, torch.Tensor]) -> str:
    """sha256 hex over names, dtypes, shapes and bytes of a state dict.

    Two checkpoints with the same numbers have the same digest, two with different numbers under
    one tag do not: neither a file name nor a tag can promise that.
    """
    total = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        total.update(f"{name}:{value.dtype}:{tuple(value.shape)}\n".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
