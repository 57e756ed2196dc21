"""Features that somebody else computed, as they lie in their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.store.faint import faint_limit, faint_rows


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FeatureSource:
    """Rows of features in the order of the files, with what the files say of them.

    Attributes:
        origin: What messages call it.
        format: ``parquet``, ``npz``, ``safetensors``, ``clip-retrieval`` or ``clip-benchmark``.
        files: The files that the numbers come from, in order; their content is part of the key.
        blocks: (n_i, d) floating arrays that follow one another, mapped from disk if possible.
        paths: (n,) paths of the images as written; None where the format has none.
        targets: (n,) class numbers where the files hold them.
        splits: Rows by name of the split they were computed for, in order; empty without splits.
        about: What an export of this program says of itself.
    """

    origin: str
    format: str
    files: tuple[Path, ...]
    blocks: tuple[npt.NDArray[Any], ...]
    paths: tuple[str, ...] | None = None
    targets: npt.NDArray[np.int64] | None = None
    splits: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return sum(len(block) for block in self.blocks)

    @property
    def width(self) -> int:
        """Numbers per row."""
        return int(self.blocks[0].shape[1])

    def rows(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Reads rows by position, in the order asked for: (m, d) float32.

        Numbers beyond float32 become infinite.

        Raises:
            ImportedFeaturesError: A row is too small for float32.
        """
        result = np.empty((len(positions), self.width), dtype=np.float32)
        begin = 0
        for block in self.blocks:
            here = np.flatnonzero((positions >= begin) & (positions < begin + len(block)))
            found = block[positions[here] - begin]
            self._refuse_faint(found, positions[here])
            with np.errstate(over="ignore"):
                result[here] = found
            begin += len(block)
        return result

    def name_of(self, position: np.int64) -> str:
        """What messages call a row."""
        return self.paths[position] if self.paths else str(position)

    def _refuse_faint(self, rows: npt.NDArray[Any], positions: npt.NDArray[np.int64]) -> None:
        faint = np.flatnonzero(faint_rows(rows, np.float32))
        if len(faint):
            largest = np.abs(rows[faint[0]]).max()
            raise refusal(self.origin)(
                faint_limit(np.float32),
                f"{largest:g} as the largest at {self.name_of(positions[faint[0]])!r}",
                "Scale all rows by one factor.",
            )


Refuse = Callable[[str, str, str], ImportedFeaturesError]
"""Makes the error of one source from what was expected, what was found and what to do."""


def refusal(origin: str) -> Refuse:
    """The maker of errors about a source."""

    def refuse(expected: str, found: str, fix: str) -> ImportedFeaturesError:
        return ImportedFeaturesError(
            f"imported features {origin}", expected=expected, found=found, fix=fix
        )

    return refuse


def check_blocks(blocks: Sequence[npt.NDArray[Any]], names: Sequence[str], refuse: Refuse) -> None:
    """Refuses arrays that are no matrices of floating numbers of one width.

    Args:
        blocks: The arrays.
        names: What each is called.
        refuse: Makes the error.

    Raises:
        ImportedFeaturesError: What ``refuse`` made.
    """
    for block, name in zip(blocks, names, strict=True):
        if block.ndim != 2 or block.dtype.kind != "f" or not block.shape[1]:
            raise refuse(
                "floating features, one row per image",
                f"{block.dtype} of shape {block.shape} in {name}",
                "Write a matrix (images, width) of float16 or float32.",
            )
        if block.shape[1] != blocks[0].shape[1]:
            raise refuse(
                f"features of width {blocks[0].shape[1]}, as in {names[0]}",
                f"width {block.shape[1]} in {name}",
                "These files are not of one model; keep one model's.",
            )
