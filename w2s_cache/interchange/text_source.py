"""Text features that somebody else computed: class by class, template by template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from w2s_cache.interchange.array_sources import read_named_arrays
from w2s_cache.interchange.source import Refuse, refusal
from w2s_cache.store.faint import faint_limit, faint_rows


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TextSource:
    """Class text of a file in label order.

    Attributes:
        file: The file.
        features: (k, t, d) float32.
        templates: (t,) templates; numbered where the file does not say them.
        logit_scale: The model's factor on cosines.
        logit_bias: Its offset.
        about: What an export says of the store it came from.
    """

    file: Path
    features: npt.NDArray[np.float32]
    templates: tuple[str, ...]
    logit_scale: float
    logit_bias: float
    about: Mapping[str, Any] | None


def read_text_source(
    file: Path, *, classes: Sequence[str], logit_scale: float | None
) -> TextSource:
    """Reads ``class``, ``features`` and, where it is there, ``template`` from a file.

    Args:
        file: A parquet, npz or safetensors file with one row per class and template.
        classes: Class names in label order; the file holds exactly these.
        logit_scale: The factor on cosines; None takes what an export says.

    Raises:
        ImportedFeaturesError: Classes missing or unknown, classes of differing numbers of rows, no
            logit scale, numbers that are not finite or too small for float32, or a file that cannot
            be read.
    """
    refuse = refusal(f"of class text {file}")
    found = read_named_arrays(file, texts=("class",), optional=("template",))
    names = found.texts["class"]
    values = np.concatenate([block.astype(np.float32) for block in found.blocks])
    rows = _rows_by_class(names, classes, len(values), refuse)
    if not np.isfinite(values).all():
        raise refuse("finite numbers", "NaN or infinity", "Compute them again.")
    if any(faint_rows(block, np.float32).any() for block in found.blocks):
        raise refuse(faint_limit(np.float32), "smaller rows", "Scale all rows by one factor.")
    scale, bias = _scale(found.about, logit_scale)
    if scale is None:
        raise refuse(
            "the model's logit scale, the factor on cosines",
            "nothing that says so",
            "Add --logit-scale, 100 for OpenAI's CLIPs.",
        )
    templates = _templates(found.texts.get("template"), [rows[name] for name in classes])
    if templates is None:
        raise refuse(
            "the same templates in the same order for every class",
            "others for some",
            "Sort the rows of each class by template.",
        )
    return TextSource(
        file=file,
        features=np.stack([values[rows[name]] for name in classes]),
        templates=templates,
        logit_scale=scale,
        logit_bias=bias,
        about=None if found.about is None else found.about["stores"].get("text"),
    )


def _rows_by_class(
    names: Sequence[str], classes: Sequence[str], count: int, refuse: Refuse
) -> dict[str, list[int]]:
    """Rows of each class in the order of the file; every class of the index has as many."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    counts = {len(numbers) for numbers in rows.values()}
    if sorted(rows) == sorted(classes) and len(counts) == 1 and len(names) == count:
        return rows
    missing = [name for name in classes if name not in rows]
    unknown = [name for name in rows if name not in set(classes)]
    raise refuse(
        f"the {len(classes)} classes of the index, each with as many rows",
        f"{len(missing)} missing {missing[:3]}, {len(unknown)} unknown {unknown[:3]}, "
        f"{sorted(counts)} rows per class, {count} rows of features",
        "Name classes as `w2s-cache data classes` prints them.",
    )


def _templates(told: Sequence[str] | None, rows: Sequence[Sequence[int]]) -> tuple[str, ...] | None:
    """The templates of every class; numbered where none are told, None where classes differ."""
    if told is None:
        return tuple(f"template {number}" for number in range(len(rows[0])))
    of_class = {tuple(told[row] for row in numbers) for numbers in rows}
    return of_class.pop() if len(of_class) == 1 else None


def _scale(about: Mapping[str, Any] | None, given: float | None) -> tuple[float | None, float]:
    store = None if about is None else about["stores"].get("text")
    if given is not None or store is None:
        return given, 0.0
    return float(store["key"]["logit_scale"]), float(store["key"]["logit_bias"])
