"""The JSON form of a run record: sealed when written, verified when read."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import Any, Final, NoReturn

import pydantic
from pydantic import TypeAdapter

from w2s_cache.errors import RecordError
from w2s_cache.results.record import SCHEMA, RunRecord
from w2s_cache.store.fingerprint import digest

DIGEST_FIELD: Final = "content_digest"
"""The key of the JSON form that vouches for all others; no field of the value."""

_OLDER_SCHEMA: Final = "w2s-cache/run-record/1"  # its records do not vouch for the other files


def record_to_json(record: RunRecord) -> str:
    """Writes a record as JSON text, inverse of :func:`record_from_json`.

    Fields stand in the order of the class, keys inside them sorted, so that equal records give
    equal bytes. Numbers keep every digit. ``content_digest``, the digest of all fields, comes last.

    Raises:
        RecordError: A value would not come back equal (a tuple, a NaN, a number as a key, …).
    """
    values = dataclasses.asdict(record)
    try:
        ordered = {
            name: json.loads(json.dumps(value, sort_keys=True, allow_nan=False))
            for name, value in values.items()
        }
    except (TypeError, ValueError) as error:
        raise _not_json(record, str(error)) from error
    changed = [name for name in values if ordered[name] != values[name]]
    if changed:
        raise _not_json(record, f"values that change on the way in {', '.join(changed)}")
    ordered[DIGEST_FIELD] = digest(ordered)
    text = json.dumps(ordered, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    record_from_json(text)
    return text


def record_from_json(text: str, *, origin: str = "run record") -> RunRecord:
    """Reads a record from JSON text, inverse of :func:`record_to_json`.

    Args:
        text: The JSON document.
        origin: Where it came from, named in errors.

    Raises:
        RecordError: The text is not JSON, a key is unknown, missing, repeated or of the wrong
            type, a number is not finite, or the schema is another one (all problems are listed);
            or the fields are not those that were written.
    """
    record, promised = parse_record(text, origin=origin)
    found = content_digest(record)
    if found != promised:
        raise RecordError(
            f"{origin} was changed after it was written",
            expected=f"fields with {DIGEST_FIELD} {str(promised)[:12]}",
            found=found[:12],
            fix="Restore it, or run that method again after removing its directory.",
        )
    return record


def parse_record(text: str, *, origin: str) -> tuple[RunRecord, object]:
    """Reads a record and the content digest beside it, without comparing the two.

    Raises:
        RecordError: See :func:`record_from_json`.
    """
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
        _refuse_older(data, origin)
        _refuse_gaps(data)
        promised = data.pop(DIGEST_FIELD, None) if isinstance(data, dict) else None
        return _adapter().validate_json(json.dumps(data)), promised
    except pydantic.ValidationError as error:
        found = "; ".join(_problem(dict(problem)) for problem in error.errors())
    except (ValueError, RecursionError) as error:
        found = str(error)
    raise RecordError(
        f"{origin} is broken",
        expected=f"JSON with the fields of {SCHEMA}",
        found=found,
        fix="Run that method again, or remove its directory.",
    )


def content_digest(record: RunRecord) -> str:
    """SHA-256 of the canonical JSON of all fields of a record, 64 hexadecimal digits."""
    return digest(dataclasses.asdict(record))


@functools.cache
def _adapter() -> TypeAdapter[RunRecord]:
    return TypeAdapter(RunRecord)


def _refuse_older(data: Any, origin: str) -> None:
    """Refuses a record from before files were vouched for, which a new run replaces."""
    if isinstance(data, dict) and data.get("schema") == _OLDER_SCHEMA:
        raise RecordError(
            f"{origin} is of an older format, which does not tell a damaged file from a whole one",
            expected=SCHEMA,
            found=_OLDER_SCHEMA,
            fix="Run that method again with the same settings, which replaces it, or remove it.",
        )


def _refuse_gaps(data: Any) -> None:
    """Refuses a document that leaves a field to its default."""
    names = [*(field.name for field in dataclasses.fields(RunRecord)), DIGEST_FIELD]
    missing = [name for name in names if isinstance(data, dict) and name not in data]
    if missing:
        raise ValueError(f"no {', '.join(missing)}")


def _problem(problem: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "the document"
    return f"{where}: {problem['msg'].lower()}"


def _not_json(record: RunRecord, found: str) -> RecordError:
    return RecordError(
        f"the record of {record.method} on {record.domain} cannot be written",
        expected="plain JSON values: text, finite numbers, lists, objects with text keys",
        found=found,
        fix="Convert them before the record is made.",
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Builds an object, refusing a key that appears twice."""
    built = dict(pairs)
    if len(built) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"repeated key {', '.join(repeated)}")
    return built


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which is no JSON number")
