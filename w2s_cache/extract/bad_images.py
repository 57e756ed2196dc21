"""Images that cannot be used: stop with a list of them, or leave their rows invalid and say why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NoReturn

import numpy as np

from w2s_cache.counted import counted
from w2s_cache.data.decode import Failure, failures_shown
from w2s_cache.data.images import IndexedFile
from w2s_cache.errors import EncoderError, ImageError
from w2s_cache.store.failures import RowFailure, shown

OnError = Literal["stop", "skip"]


def refuse(failures: Sequence[Failure]) -> NoReturn:
    """Refuses images that cannot be used: those without pixels, else those without numbers.

    Args:
        failures: At least one.

    Raises:
        ImageError: Some cannot be decoded.
        EncoderError: Of all that can, the encoder made numbers that are not finite.
    """
    without_pixels = [failure for failure in failures if failure.stage != "encode"]
    raise undecodable(without_pixels) if without_pixels else _not_finite_error(failures)


def undecodable(failures: Sequence[Failure]) -> ImageError:
    """The error that lists them; ten are named and the others counted."""
    return ImageError(
        f"{len(failures)} image(s) cannot be decoded",
        expected="images that Pillow reads",
        found=failures_shown(failures),
        fix="Repair or remove them (and their lines in the list files), then run again: finished "
        "shards are kept. Or leave them out with --on-error skip.",
    )


def not_finite(
    arrays: Mapping[str, np.ndarray], files: Sequence[IndexedFile], known: Sequence[Failure]
) -> list[Failure]:
    """Images for which an encoder gave NaN or infinity.

    Args:
        arrays: By name, (n, width) float32.
        files: (n,) their images.
        known: Images that failed before, whose rows may hold anything.
    """
    before = {failure.position for failure in known}
    found: dict[int, Failure] = {}
    for name, values in arrays.items():
        for place in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
            if place not in before and place not in found:
                found[place] = Failure(
                    position=place,
                    path=files[place].path,
                    stage="encode",
                    error="EncoderError",
                    reason=f"{name} are not finite",
                )
    return [found[place] for place in sorted(found)]


def _not_finite_error(failures: Sequence[Failure]) -> EncoderError:
    what = failures[0].reason.removesuffix(" are not finite")
    return EncoderError(
        f"{what} of {len(failures)} image(s) are not finite, first {failures[0].path}",
        expected="finite numbers",
        found="NaN or infinity",
        fix="If the precision is fp16, use fp32: it overflows in some models. In fp32 the "
        "weights or the image are at fault; --on-error skip leaves such images out.",
    )


def row_failures(failures: Sequence[Failure], names: Sequence[str], start: int) -> list[RowFailure]:
    """What a store keeps of the failures of a shard.

    Args:
        failures: Their positions count from the shard's first row.
        names: Relative paths of all rows.
        start: The shard's first row.
    """
    return [
        RowFailure(
            row=start + failure.position,
            path=names[start + failure.position],
            stage=failure.stage,
            error=failure.error,
            message=failure.reason,
        )
        for failure in failures
    ]


def refuse_all_bad(failures: Sequence[RowFailure], rows: int, label: str) -> None:
    """Refuses a store without a single image.

    Raises:
        ImageError: All rows failed.
    """
    if len(failures) == rows:
        raise ImageError(
            f"{label}: none of the {counted(rows, 'image')} can be used",
            expected="at least one usable image",
            found=shown(failures),
            fix="Look at --root and at the images, then run again with --retry-skipped.",
        )
