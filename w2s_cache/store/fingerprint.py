"""Keys: one canonical byte form per value, its digest, and the fields in which two keys differ."""

from __future__ import annotations

import enum
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from w2s_cache.counted import counted
from w2s_cache.errors import StaleStoreError, StoreError

SHOWN_DIFFERENCES = 10
SHOWN_CHARACTERS = 80


_UNSAID: Final = {"decoder": "pillow"}
"""Sections of models name these only where another value is asked for, so that older ones fit."""


class Absent(enum.Enum):
    """The type of ``ABSENT``, what a difference holds on the side that lacks the field."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field in which two keys disagree.

    Args:
        field: Dotted path of the field, e.g. ``"encoder.tag"`` or ``"templates[2]"``.
        stored: Value in the store, or ``ABSENT``.
        wanted: Value asked for, or ``ABSENT``.
    """

    field: str
    stored: object
    wanted: object


def canonical_json(value: object) -> bytes:
    """Write a value of JSON types in its one canonical form.

    Keys are sorted by code point, there is no white space, and everything is ASCII. Tuples are
    lists. A float with an integral value is written as that integer (so ``1.0`` and ``1``, ``-0.0``
    and ``0`` agree, as they do in Python); any other float as its shortest decimal that reads back
    to the same double. Booleans are not numbers.

    Args:
        value: None, bool, int, float, str, and lists, tuples, mappings with string keys of those.

    Returns:
        The canonical form, ASCII bytes.

    Raises:
        StoreError: a value is NaN or infinite, a key is no string, or a type is not of JSON.
    """
    plain = _plain(value, "")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(value: object) -> str:
    """Return the sha256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, 64 hexadecimal digits.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(
            f"cannot hash {path}",
            expected="a readable file",
            found=error.strerror or str(error),
            fix="Check the path and its permissions.",
        ) from error


def diff_keys(stored: Mapping[str, object], wanted: Mapping[str, object]) -> list[Difference]:
    """List the fields in which two keys differ, sorted by field.

    Mappings, and sequences of equal length, are compared element by element; anything else is
    one field. Two values agree when their canonical forms do.
    """
    return sorted(_differences("", stored, wanted), key=lambda difference: difference.field)


def stale_error(what: str, differences: Sequence[Difference], *, fix: str) -> StaleStoreError:
    """Build the error that names each differing field with the wanted and the stored value."""
    wanted, stored = sides_shown(differences)
    return StaleStoreError(what, expected=wanted, found=stored, fix=fix)


def sides_shown(differences: Sequence[Difference]) -> tuple[str, str]:
    """Each differing field with its wanted and with its stored value, each on one line."""
    shown = differences[:SHOWN_DIFFERENCES]
    more = len(differences) - len(shown)
    tail = f" and {more} more" if more else ""
    return (
        ", ".join(f"{d.field} = {value_shown(d.wanted)}" for d in shown) + tail,
        ", ".join(f"{d.field} = {value_shown(d.stored)}" for d in shown) + tail,
    )


def _plain(value: object, field: str) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _plain_float(value, field)
    if isinstance(value, Mapping):
        return {
            _plain_name(name, field): _plain(v, _join(field, name)) for name, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(item, f"{field}[{i}]") for i, item in enumerate(value)]
    raise _not_canonical(field, f"a {type(value).__name__}")


def _plain_float(value: float, field: str) -> float | int:
    if not math.isfinite(value):
        raise _not_canonical(field, repr(float(value)))
    return int(value) if value.is_integer() else float(value)


def _plain_name(name: object, field: str) -> str:
    if not isinstance(name, str):
        raise _not_canonical(field, f"the field name {name!r}")
    return name


def _not_canonical(field: str, found: str) -> StoreError:
    return StoreError(
        f"field {field or '(root)'} has no canonical form",
        expected="None, bool, int, finite float, str, or lists and string-keyed mappings of those",
        found=found,
        fix="Convert the value first, e.g. with int(), float() or list().",
    )


def _join(field: str, name: object) -> str:
    return f"{field}.{name}" if field else str(name)


def _differences(field: str, stored: object, wanted: object) -> Iterator[Difference]:
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        for name in {**stored, **wanted}:
            pair = stored.get(name, _unsaid(stored, name)), wanted.get(name, _unsaid(wanted, name))
            yield from _differences(_join(field, name), *pair)
    elif _both_sequences(stored, wanted):
        for i, pair in enumerate(zip(stored, wanted, strict=True)):  # type: ignore[call-overload]
            yield from _differences(f"{field}[{i}]", *pair)
    elif not _agree(stored, wanted):
        yield Difference(field=field, stored=stored, wanted=wanted)


def _unsaid(section: Mapping[str, object], name: str) -> object:
    """What a section of a model means by not having a field."""
    return _UNSAID.get(name, ABSENT) if "model" in section else ABSENT


def _both_sequences(a: object, b: object) -> bool:
    return isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b)


def _agree(stored: object, wanted: object) -> bool:
    if stored is ABSENT or wanted is ABSENT:
        return False
    return canonical_json(stored) == canonical_json(wanted)


def value_shown(value: object) -> str:
    """Write a value of a difference in one line, cut to some 80 characters."""
    if value is ABSENT:
        return "(absent)"
    text = canonical_json(value).decode("ascii")
    if len(text) > SHOWN_CHARACTERS:
        text = text[: SHOWN_CHARACTERS - 1] + "…"
    return f"{counted(len(value), 'item')} {text}" if isinstance(value, list | tuple) else text
