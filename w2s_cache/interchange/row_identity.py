"""Which image each imported row belongs to: by its path, or by a given order that is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from w2s_cache.counted import counted
from w2s_cache.data.row_order import row_order
from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.interchange.source import FeatureSource, refusal
from w2s_cache.store.index import Index

INDEX_ORDER = "index"
_SPLIT = "{split}"


def identify_rows(
    source: FeatureSource, index: Index, *, order: str | None, prefix: str | None
) -> FeatureSource:
    """The source with a path, relative to the data root, for every row.

    Args:
        source: Features as they lie in their files.
        index: The domain.
        order: For files without paths: a text file with one path per line, ``{split}`` in its name
            replaced by train, val and test; or ``index``, the order of ``w2s-cache data index``.
        prefix: What precedes every path as written, such as the folder of the images.

    Raises:
        ImportedFeaturesError: There is no order where one is needed, or one where none is; paths
            without the prefix.
    """
    refuse = refusal(source.origin)
    if source.paths is None:
        source = _ordered(source, index, order)
    elif order is not None:
        raise refuse(
            "a source without paths for a given row order",
            "paths in its own files",
            "Leave out --row-order.",
        )
    if prefix is None or source.paths is None:
        return source
    head = f"{prefix.rstrip('/')}/"
    stranger = next((path for path in source.paths if not path.startswith(head)), None)
    if stranger is not None:
        raise refuse(f"paths that begin with {head}", repr(stranger), "Correct --prefix.")
    return replace(source, paths=tuple(path.removeprefix(head) for path in source.paths))


def match_rows(
    source: FeatureSource, index: Index, *, elsewhere: Callable[[str], bool]
) -> npt.NDArray[np.int64]:
    """Where each row of the index stands in an identified source: (n,) positions.

    Raises:
        ImportedFeaturesError: Missing, unknown or repeated paths, or class numbers beside the
            features that are not the index's.
    """
    refuse = refusal(source.origin)

    def refuse_paths(expected: str, found: str, fix: str) -> ImportedFeaturesError:
        hint = " Where all begin with the same folder, name it with --prefix."
        left_out = source.about["left_out"] if source.about else ()
        if left_out and ", 0 unknown" in found:
            rows = counted(len(left_out), "row")
            fix = f"The export left {rows} without data out: repair those images, "
            return refuse(expected, found, f"{fix}extract and export again.")
        return refuse(expected, found, fix if ", 0 unknown" in found else f"{fix}{hint}")

    assert source.paths is not None  # noqa: S101 - identify_rows gave them
    order = row_order(source.paths, index.paths, elsewhere=elsewhere, refuse=refuse_paths)
    if source.targets is not None:
        differing = np.flatnonzero(source.targets[order] != index.labels)
        if len(differing):
            row = int(differing[0])
            label, target = int(index.labels[row]), int(source.targets[order[row]])
            raise refuse(
                f"the class numbers of the index, such as {label} ({index.classes[label]}) of "
                f"{index.paths[row]!r}",
                f"others in {counted(len(differing), 'row')}, {target} there",
                "The order of rows or of classes is another one: give --row-order with the order "
                "in which the data set was read.",
            )
    return order


def _ordered(source: FeatureSource, index: Index, order: str | None) -> FeatureSource:
    """Paths by a given order; its files are part of what the numbers depend on."""
    if order is None:
        raise refusal(source.origin)(
            "an order of rows, for its files name no image",
            "none",
            "Write the paths in the order in which the data set was read, one per line, and give "
            "--row-order 'rows_{split}.txt'; or --row-order index if that is the order of "
            "`w2s-cache data index`. It is checked against the class numbers.",
        )
    if order == INDEX_ORDER:
        return replace(source, paths=_index_order(source, index))
    files = {split: Path(order.replace(_SPLIT, split)) for split in source.splits}
    if len(set(files.values())) != len(files):
        raise refusal(source.origin)(
            f"one list of paths for each of {', '.join(files)}",
            order,
            "Write {split} where the name of the split stands, as in 'rows_{split}.txt'.",
        )
    paths = [
        path for split, count in source.splits.items() for path in _listed(files[split], count)
    ]
    return replace(source, paths=tuple(paths), files=(*source.files, *files.values()))


def _listed(file: Path, count: int) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(str(file))(
            "a text file of paths", f"{error}", "Correct --row-order."
        ) from error
    if len(lines) != count:
        raise refusal(str(file))(
            f"{counted(count, 'path')}, one per row of features",
            f"{len(lines)}",
            "List every image that was read, in that order.",
        )
    return lines


def _index_order(source: FeatureSource, index: Index) -> tuple[str, ...]:
    rows = {"train": np.flatnonzero(index.is_train), "test": np.flatnonzero(~index.is_train)}
    expected = {split: len(numbers) for split, numbers in rows.items()}
    if dict(source.splits) != expected:
        raise refusal(source.origin)(
            f"the official split, {_counts(expected)} rows",
            f"{_counts(source.splits)}",
            "Give the order by files instead: --row-order 'rows_{split}.txt'.",
        )
    return tuple(index.paths[row] for split in source.splits for row in rows[split])


def _counts(splits: object) -> str:
    return ", ".join(f"{split} {count}" for split, count in dict(splits).items())  # type: ignore[call-overload]
