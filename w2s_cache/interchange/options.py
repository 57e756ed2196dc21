"""What an export is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from w2s_cache.errors import ExportError, UnknownNameError
from w2s_cache.interchange.selection import Split
from w2s_cache.results import RunRecord

Format = Literal["parquet", "npz", "safetensors"]
PARTS = ("features", "logits", "text", "predictions", "index")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOptions:
    """What is exported, how, and where to.

    Attributes:
        output: The folder; every domain gets one of its own below it.
        what: Of ``features``, ``logits``, ``text``, ``predictions`` and ``index``; path, label,
            class and split of every row are always there.
        split: Which half of the official split, or ``all``.
        format: The files' format.
        dtype: Storage type of features; they are computed with in float32.
        normalize: Whether rows of features are scaled to unit L2 length, in float32.
        overwrite: Whether an earlier export of the same domain may be replaced.
        runs: Records of the runs whose predictions are wanted.
        results_dir: Where those runs lie.

    Raises:
        UnknownNameError: There is no such part.
        ExportError: Predictions are wanted, of no run.
    """

    output: Path
    what: Collection[str] = ("features", "logits", "text")
    split: Split = "all"
    format: Format = "parquet"
    dtype: Literal["float32", "float16"] = "float32"
    normalize: bool = False
    overwrite: bool = False
    runs: Sequence[RunRecord] = ()
    results_dir: Path = Path("results")

    def __post_init__(self) -> None:
        for part in self.what:
            if part not in PARTS:
                raise UnknownNameError("part of an export", part, PARTS)
        if "predictions" in self.what and not self.runs:
            raise ExportError(
                "no predictions to export",
                expected="records of finished runs",
                found="none",
                fix="Name methods with --method, after `w2s-cache train`.",
            )
