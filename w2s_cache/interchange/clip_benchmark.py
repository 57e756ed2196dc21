"""The folder that CLIP_benchmark's linear probe keeps: features and class numbers of each split.

They are ``features_train.pt``, ``targets_train.pt`` and so on, and name no image. Rows can only be
told apart by the order in which that program read the data set, so that order has to be given, and
is checked against the class numbers beside it.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.interchange.source import FeatureSource, Refuse, check_blocks, refusal

_DAMAGED = (OSError, RuntimeError, EOFError, ValueError, LookupError, pickle.UnpicklingError)
SPLITS = ("train", "val", "test")


def is_clip_benchmark(folder: Path) -> bool:
    """Whether a folder looks like CLIP_benchmark's."""
    return any((folder / f"features_{split}.pt").is_file() for split in SPLITS)


def read_clip_benchmark(folder: Path) -> FeatureSource:
    """Reads the splits that are there, in the order train, val, test; never runs a pickle.

    Raises:
        ImportedFeaturesError: Targets are missing or are not as many as features, a file is
            damaged, holds anything but a tensor, or is the partial one of an interrupted run.
    """
    refuse = refusal(str(folder))
    partial = sorted(path.name for path in folder.glob("features_*_cache_*.pt"))
    if partial:
        raise refuse(
            "the features of a finished run",
            f"what an interrupted one left, such as {partial[0]}",
            "Remove the folder and run CLIP_benchmark again.",
        )
    there = [split for split in SPLITS if (folder / f"features_{split}.pt").is_file()]
    files: list[Path] = []
    blocks, targets = [], []
    for split in there:
        pair = folder / f"features_{split}.pt", folder / f"targets_{split}.pt"
        block, target = (_tensor(file, refuse) for file in pair)
        if target.shape != (len(block),) or target.dtype.kind not in "iu":
            raise refuse(
                f"{len(block)} class numbers in {pair[1].name}",
                f"{target.dtype} of shape {target.shape}",
                "Features and targets are not of one run; run CLIP_benchmark again.",
            )
        files += pair
        blocks.append(block)
        targets.append(target.astype(np.int64))
    check_blocks(blocks, [f"features_{split}.pt" for split in there], refuse)
    return FeatureSource(
        origin=str(folder),
        format="clip-benchmark",
        files=tuple(files),
        blocks=tuple(blocks),
        targets=np.concatenate(targets),
        splits={split: len(block) for split, block in zip(there, blocks, strict=True)},
    )


def _tensor(file: Path, refuse: Refuse) -> npt.NDArray[Any]:
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        raise _damaged(file, error, refuse) from error
    if not isinstance(loaded, torch.Tensor):
        raise refuse(
            f"one tensor in {file.name}",
            f"a {type(loaded).__name__}",
            "Give CLIP_benchmark's file.",
        )
    detached = loaded.detach()
    return (detached.float() if detached.dtype == torch.bfloat16 else detached).numpy()


def _damaged(file: Path, error: Exception, refuse: Refuse) -> ImportedFeaturesError:
    said = str(error).strip().splitlines()
    return refuse(
        f"a tensor in {file.name}, written by torch.save",
        said[0] if said else type(error).__name__,
        "Run CLIP_benchmark again; files that hold anything but tensors are never loaded.",
    )
