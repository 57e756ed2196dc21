"""Features in one file of named arrays or columns: npz, parquet, safetensors.

Each holds ``path`` and ``features``; those that `w2s-cache export` wrote say more of themselves.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from safetensors import SafetensorError, safe_open

from w2s_cache.counted import counted
from w2s_cache.data.npz_arrays import open_npz
from w2s_cache.interchange.about import read_about
from w2s_cache.interchange.npz_format import ABOUT_ARRAY
from w2s_cache.interchange.parquet_format import ABOUT_KEY
from w2s_cache.interchange.safetensors_format import ABOUT_FIELD
from w2s_cache.interchange.source import FeatureSource, check_blocks, refusal
from w2s_cache.store.parquet_bounds import parquet_schema, read_bounded
from w2s_cache.store.shallow_json import parse_json

UNREADABLE = (
    pa.ArrowException,
    SafetensorError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NamedArrays:
    """What a file holds: texts by name, blocks of features, what it says of itself."""

    texts: Mapping[str, tuple[str, ...]]
    blocks: tuple[npt.NDArray[Any], ...]
    about: Mapping[str, Any] | None


def read_array_source(file: Path) -> FeatureSource:
    """Reads ``path`` and ``features`` from a file, by its suffix.

    Raises:
        ImportedFeaturesError: It cannot be read, something is missing, or shapes are wrong.
    """
    found = read_named_arrays(file, texts=("path",))
    paths = found.texts["path"]
    count = sum(len(block) for block in found.blocks)
    if len(paths) != count:
        raise refusal(str(file))(
            f"{counted(len(paths), 'row')} of features, one per path",
            f"{count}",
            "Write one row per path.",
        )
    return FeatureSource(
        origin=str(file),
        format=file.suffix.removeprefix("."),
        files=(file,),
        blocks=found.blocks,
        paths=paths,
        about=found.about,
    )


def read_named_arrays(
    file: Path, *, texts: tuple[str, ...], optional: tuple[str, ...] = ()
) -> NamedArrays:
    """Reads ``features`` and columns of text from a parquet, npz or safetensors file.

    Args:
        file: The file.
        texts: Names of columns of text that must be there.
        optional: Names of others.

    Raises:
        ImportedFeaturesError: It cannot be read, something is missing, or shapes are wrong.
    """
    refuse = refusal(str(file))
    readers = {".parquet": _parquet, ".npz": _npz, ".safetensors": _safetensors}
    names = " and ".join(f"`{name}`" for name in (*texts, "features"))
    if file.suffix not in readers:
        raise refuse("a .parquet, .npz or .safetensors file", f"{file.name}", "Convert it.")
    try:
        found = readers[file.suffix](file, texts, optional)
    except UNREADABLE as error:
        said = str(error).strip().splitlines()
        raise refuse(
            f"a file with {names}",
            said[0] if said else type(error).__name__,
            "See docs/interchange.md for an example of each format.",
        ) from error
    check_blocks(found.blocks, ["`features`"] * len(found.blocks), refuse)
    return found


def _npz(file: Path, texts: tuple[str, ...], optional: tuple[str, ...]) -> NamedArrays:
    with open_npz(file) as arrays:
        names = [*texts, *(name for name in optional if name in arrays)]
        about = read_about(str(arrays.read(ABOUT_ARRAY))) if ABOUT_ARRAY in arrays else None
        words = {name: tuple(arrays.texts(name)) for name in names}
        return NamedArrays(texts=words, blocks=(arrays.read("features"),), about=about)


def _safetensors(file: Path, texts: tuple[str, ...], optional: tuple[str, ...]) -> NamedArrays:
    with safe_open(file, framework="numpy") as tensors:
        metadata = tensors.metadata() or {}
        for name in texts:
            if name not in metadata:
                raise ValueError(f"no JSON list {name!r} in the metadata")
        names = [*texts, *(name for name in optional if name in metadata)]
        words = {name: tuple(map(str, parse_json(metadata[name]))) for name in names}
        about = read_about(metadata.get(ABOUT_FIELD, ""))
        return NamedArrays(texts=words, blocks=(tensors.get_tensor("features"),), about=about)


def _parquet(file: Path, texts: tuple[str, ...], optional: tuple[str, ...]) -> NamedArrays:
    schema = parquet_schema(file)
    columns = schema.names
    missing = [name for name in (*texts, "features") if name not in columns]
    if missing:
        raise ValueError(f"no column {', '.join(missing)} among {', '.join(columns)}")
    names = [*texts, *(name for name in optional if name in columns)]
    table = read_bounded(file, columns=[*names, "features"])
    words = {name: tuple(map(str, table.column(name).to_pylist())) for name in names}
    blocks = tuple(_vectors(chunk) for chunk in table.column("features").chunks)
    about = read_about((schema.metadata or {}).get(ABOUT_KEY, b""))
    return NamedArrays(texts=words, blocks=blocks or (np.empty((0, 1), "f4"),), about=about)


def _vectors(chunk: Any) -> npt.NDArray[Any]:
    """(n, d) of a chunk of lists, all of one length."""
    if chunk.null_count or not len(chunk):
        raise ValueError(
            f"null in {chunk.null_count} of {counted(len(chunk), 'row')} of `features`"
        )
    lengths = set(chunk.value_lengths().to_pylist())
    if len(lengths) != 1:
        raise ValueError(f"features of {len(lengths)} differing lengths")
    values: npt.NDArray[Any] = chunk.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(chunk), -1)
