"""The folder that clip-retrieval writes: partitions of vectors beside partitions of paths.

``img_emb/img_emb_0.npy`` holds rows of unit length, ``metadata/metadata_0.parquet`` in the same
order ``image_path``; other columns are ignored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from w2s_cache.counted import counted
from w2s_cache.interchange.source import FeatureSource, Refuse, check_blocks, refusal
from w2s_cache.store.parquet_bounds import read_bounded

VECTORS, METADATA = "img_emb", "metadata"
_LONGEST_PATH = 4096  # bytes, PATH_MAX of Linux
_DAMAGED = (OSError, ValueError, EOFError, pa.ArrowException, LookupError, TypeError)


def is_clip_retrieval(folder: Path) -> bool:
    """Whether a folder looks like clip-retrieval's."""
    return (folder / VECTORS).is_dir()


def read_clip_retrieval(folder: Path) -> FeatureSource:
    """Reads all partitions; vectors stay on disk until they are asked for.

    Raises:
        ImportedFeaturesError: A partition lacks its other half, differs from it in length, is
            damaged, or has another width than the first.
    """
    refuse = refusal(str(folder))
    vectors = _partitions(folder / VECTORS, "img_emb_*.npy")
    metadata = _partitions(folder / METADATA, "metadata_*.parquet")
    if not vectors or set(vectors) != set(metadata):
        lonely = sorted(set(vectors) ^ set(metadata))
        raise refuse(
            f"a metadata partition for each of {VECTORS}",
            f"partitions {', '.join(lonely)} with one of both" if lonely else "no partition",
            "Compute the missing partitions again, or remove the half ones.",
        )
    names = sorted(vectors, key=lambda name: (int(name) if name.isdecimal() else -1, name))
    blocks = [_vectors(vectors[name], refuse) for name in names]
    check_blocks(blocks, [vectors[name].name for name in names], refuse)
    paths: list[str] = []
    for name, block in zip(names, blocks, strict=True):
        found = _paths(metadata[name], refuse, rows=len(block))
        if len(found) != len(block):
            raise refuse(
                f"{counted(len(block), 'path')}, as {vectors[name].name} has rows",
                f"{len(found)} in {metadata[name].name}",
                "This partition was written in two goes; compute it again.",
            )
        paths += found
    return FeatureSource(
        origin=str(folder),
        format="clip-retrieval",
        files=tuple(half[name] for name in names for half in (vectors, metadata)),
        blocks=tuple(blocks),
        paths=tuple(paths),
    )


def _partitions(folder: Path, pattern: str) -> dict[str, Path]:
    return {path.stem.rpartition("_")[2]: path for path in folder.glob(pattern)}


def _vectors(file: Path, refuse: Refuse) -> npt.NDArray[Any]:
    try:
        mapped: npt.NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except _DAMAGED as error:
        raise refuse("a whole npy file", f"{file.name}: {error}", "Compute it again.") from error
    return mapped


def _paths(file: Path, refuse: Refuse, *, rows: int) -> list[str]:
    """Long paths that begin alike are packed very small; the vectors say how many to expect."""
    try:
        table = read_bounded(file, columns=["image_path"], expected=rows * _LONGEST_PATH)
    except _DAMAGED as error:
        raise refuse(
            "a parquet file with a column `image_path`",
            f"{file.name}: {error}",
            "Run clip-retrieval with --enable_image True, which writes it.",
        ) from error
    return [str(path) for path in table["image_path"].to_pylist()]
