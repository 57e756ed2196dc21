"""Which kind of source a path is."""

from __future__ import annotations

from pathlib import Path

from w2s_cache.interchange.array_sources import read_array_source
from w2s_cache.interchange.clip_benchmark import is_clip_benchmark, read_clip_benchmark
from w2s_cache.interchange.clip_retrieval import is_clip_retrieval, read_clip_retrieval
from w2s_cache.interchange.source import FeatureSource, refusal

IMAGES, TEXT = "images", "text"
_SUFFIXES = (".parquet", ".npz", ".safetensors")


def read_source(path: Path) -> FeatureSource:
    """Reads features from a file, or from a folder by what lies in it.

    Raises:
        ImportedFeaturesError: Nothing there, nothing that can be read, or something broken.
    """
    if path.is_file():
        return read_array_source(path)
    if is_clip_retrieval(path):
        return read_clip_retrieval(path)
    if is_clip_benchmark(path):
        return read_clip_benchmark(path)
    exported = exported_file(path, IMAGES)
    if exported is not None:
        return read_array_source(exported)
    raise refusal(str(path))(
        "a .parquet, .npz or .safetensors file, or a folder made by the command export, by "
        "clip-retrieval or CLIP_benchmark",
        "a folder with none of these" if path.is_dir() else "no such file or folder",
        "Correct the path; see docs/interchange.md.",
    )


def exported_file(folder: Path, name: str) -> Path | None:
    """The file of a domain's export: ``images`` or ``text``; None where there is none."""
    found = (folder / f"{name}{suffix}" for suffix in _SUFFIXES)
    return next((file for file in found if file.is_file()), None)
