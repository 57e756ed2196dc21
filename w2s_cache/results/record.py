"""The run record: one training run as a value, its identity and its JSON form."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, NoReturn

import pydantic
from pydantic import ConfigDict, TypeAdapter

from w2s_cache.errors import RecordError
from w2s_cache.store.fingerprint import digest

SCHEMA: Final = "w2s-cache/run-record/1"

DIGEST_FIELD: Final = "content_digest"
"""The key of the JSON form that vouches for all others; no field of the value."""

EPOCH: Final = "epoch"
DIVERGED: Final = "diverged"
"""The keys of ``selected`` that are no hyper-parameters."""

OUTCOME_FIELDS = (
    "method",
    "dataset",
    "domain",
    "strong",
    "weak",
    "seed",
    "protocol",
    "config",
    "inputs",
)
"""The fields that decide a run's numbers, hence its identity."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of one method on one domain with one seed; the spec is docs/run-record.md.

    Args:
        run_id: Identity of the run, :func:`run_id` of the outcome fields.
        method: Name of the method, as in the catalogue of methods.
        dataset: Name of the data set.
        domain: Name of the domain.
        strong: Name of the strong encoder.
        weak: Name of the weak model.
        spec: Name of the spec file the run was started from.
        seed: The run's seed.
        protocol: hold_fraction, fit_fraction, split_seed, eval_split and select.
        config: Everything the method was trained with; JSON values, no seed, no paths.
        inputs: request_digest (of what the spec asked the cache for), index_digest and the key
            digests of image, logits and text features.
        status: ``"done"``, or ``"not-applicable"`` when the method cannot run on these inputs.
        reason: Why the method is not applicable; empty when done.
        metrics: Fractions in [0, 1] by name: accuracy, agreement, weak_accuracy, ….
        per_class_accuracy: (K,) fractions by class number; None where a class has no row.
        counts: Rows used: fit, val, eval and skipped.
        selected: What selection on val chose: ``epoch`` (from 1) and, where several values were
            candidates, hyper-parameters by name; ``diverged`` lists candidates that were left out
            because they had no finite numbers; empty when there was nothing to choose.
        timing: Seconds by stage.
        environment: ``versions`` (by library) and ``device``.
        created: When the run ended, ISO 8601 in UTC.
        schema: Name and version of this format.
    """

    run_id: str
    method: str
    dataset: str
    domain: str
    strong: str
    weak: str
    spec: str
    seed: int
    protocol: dict[str, Any]
    config: dict[str, Any]
    inputs: dict[str, Any]
    status: Literal["done", "not-applicable"] = "done"
    reason: str = ""
    metrics: dict[str, float]
    per_class_accuracy: list[float | None]
    counts: dict[str, int]
    selected: dict[str, Any]
    timing: dict[str, float]
    environment: dict[str, Any]
    created: str
    schema: Literal["w2s-cache/run-record/1"] = SCHEMA

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False
    )

    def chosen(self) -> dict[str, Any]:
        """The hyper-parameters that selection kept of lists of candidates, by name."""
        return {k: v for k, v in self.selected.items() if k not in {EPOCH, DIVERGED}}

    def outcome(self) -> dict[str, Any]:
        """The fields that decide the numbers, as :func:`run_id` takes them."""
        return {name: getattr(self, name) for name in OUTCOME_FIELDS}


def run_id(outcome: Mapping[str, Any]) -> str:
    """Identity of a run: 12 hexadecimal digits of the SHA-256 of its canonical outcome fields.

    Args:
        outcome: Exactly the fields of :data:`OUTCOME_FIELDS`, with JSON values.

    Raises:
        RecordError: A field is missing or is not one that decides the outcome.
    """
    if set(outcome) != set(OUTCOME_FIELDS):
        raise RecordError(
            "a run cannot be identified",
            expected=f"the fields {', '.join(OUTCOME_FIELDS)}",
            found=", ".join(sorted(outcome)) or "none",
            fix="Give exactly these fields.",
        )
    return digest(dict(outcome))[:12]


def record_to_json(record: RunRecord) -> str:
    """Writes a record as JSON text, inverse of :func:`record_from_json`.

    Fields stand in the order of the class, keys inside them sorted, so that equal records give
    equal bytes. Numbers keep every digit. ``content_digest``, the digest of all fields, comes last.

    Raises:
        RecordError: A value would not come back equal (a tuple, a NaN, a number as a key, …).
    """
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
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
    return digest({field.name: getattr(record, field.name) for field in dataclasses.fields(record)})


@functools.cache
def _adapter() -> TypeAdapter[RunRecord]:
    return TypeAdapter(RunRecord)


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
