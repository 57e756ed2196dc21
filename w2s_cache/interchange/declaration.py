"""What the person says of imported features, settled with what their files say and show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from w2s_cache.interchange.source import FeatureSource, refusal
from w2s_cache.store.faint import faint_limit, faint_rows

UNIT = 5e-3  # how far from 1 the length of a row normalised in half precision may be
_AT_ONCE = 8192


@dataclass(frozen=True, kw_only=True, slots=True)
class Declaration:
    """What is said of imported features; None is left to the files.

    Attributes:
        model: Architecture, as its library calls it, e.g. ``ViT-B-32``.
        pretrained: Weights tag, e.g. ``laion2b_s34b_b79k``.
        tensor: ``features`` of the joint space, or ``preprojection``, what enters the projection.
        normalized: Whether rows were scaled to unit length.
    """

    model: str | None = None
    pretrained: str | None = None
    tensor: Literal["features", "preprojection"] = "features"
    normalized: bool | None = None


def settle(declared: Declaration, source: FeatureSource) -> dict[str, Any]:
    """What the key says of the encoder: always ``imported``, so never taken for an own extraction.

    Raises:
        ImportedFeaturesError: Nothing says which model it was or whether rows are normalised, or
            two things that contradict each other do.
    """
    exported = _exported(source)
    if declared.model is None and exported is None:
        raise refusal(source.origin)(
            "the model they come from", "nothing that says so", "Add --model, and --pretrained."
        )
    return {
        "imported": True,
        "model": declared.model,
        "pretrained": declared.pretrained,
        "tensor": declared.tensor,
        "normalized": _normalized(declared, source),
        **({} if exported is None else {"exported": exported}),
    }


def check_rows(
    source: FeatureSource, order: npt.NDArray[np.int64], *, normalized: bool, dtype: str
) -> None:
    """Looks at every row that will be stored, before any is.

    Args:
        source: An identified source.
        order: (n,) positions of the rows of the index.
        normalized: What the key will say.
        dtype: The storage type.

    Raises:
        ImportedFeaturesError: NaN, infinity, a row of zeros, a number beyond the storage type, a
            row too small for it, or lengths that contradict ``normalized``.
    """
    refuse = refusal(source.origin)
    limit = float(np.finfo(dtype).max)
    every_unit = True
    for start in range(0, len(order), _AT_ONCE):
        positions = order[start : start + _AT_ONCE]
        rows = source.rows(positions)
        length = np.linalg.norm(rows.astype(np.float64), axis=1)
        unit = np.abs(length - 1) <= UNIT
        every_unit = every_unit and bool(unit.all())
        faults = {
            "finite numbers": ~np.isfinite(rows).all(axis=1),
            "features of every image": length == 0,
            f"magnitudes up to {limit:g}, the range of {dtype}": np.abs(rows).max(axis=1) > limit,
            faint_limit(dtype): faint_rows(rows, dtype),
            "rows of unit length": ~unit & normalized,
        }
        for expected, bad in faults.items():
            if bad.any():
                first = int(bad.argmax())
                found = _found(rows[first], source.name_of(positions[first]), bad)
                raise refuse(expected, found, _fix(expected))
    if every_unit and not normalized:
        raise refuse(
            "features as the model gave them (--raw)",
            "rows of unit length, all of them",
            "Say --normalized.",
        )


def _found(row: npt.NDArray[np.float32], name: str, bad: npt.NDArray[np.bool_]) -> str:
    if not np.isfinite(row).all():
        shown = "NaN or infinity"
    elif not row.any():
        shown = "a row of zeros"
    else:
        shown = (
            f"length {np.linalg.norm(row.astype(np.float64)):.4g}, largest {np.abs(row).max():g}"
        )
    return f"{shown} at {name!r}, the first of {int(bad.sum())} in {len(bad)} rows looked at"


def _fix(expected: str) -> str:
    if expected == "rows of unit length":
        return "Say --raw if they are as the model gave them."
    if expected.startswith(("magnitudes", "a number of at least")):
        return 'Set `dtype = "float32"` in [store] of the spec.'
    return "Compute these rows again; images that cannot be read belong in no file of features."


def _normalized(declared: Declaration, source: FeatureSource) -> bool:
    said: bool | None = None
    if source.about is not None:
        said = bool(source.about.get("normalized"))
    elif source.format == "clip-retrieval":
        said = True  # it always scales rows
    if said is None and declared.normalized is None:
        raise refusal(source.origin)(
            "to be told whether rows have unit length",
            "nothing that says so",
            "Say --normalized or --raw, whichever is true: it becomes part of the key.",
        )
    if None not in (said, declared.normalized) and said != declared.normalized:
        raise refusal(source.origin)(
            "normalised rows, as the files say" if said else "raw rows, as the files say",
            "--normalized" if declared.normalized else "--raw",
            "Leave that option out.",
        )
    return bool(declared.normalized if said is None else said)


def _exported(source: FeatureSource) -> Mapping[str, Any] | None:
    """What an export says of the store it came from."""
    if source.about is None:
        return None
    image = source.about["stores"]["image"]
    return {"key_digest": image["key_digest"], "encoder": image["key"].get("encoder")}
