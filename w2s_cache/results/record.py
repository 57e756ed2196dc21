"""The run record: one training run as a value, and its identity."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import ConfigDict

from w2s_cache.errors import RecordError
from w2s_cache.results.file_digest import FileDigest, FileName
from w2s_cache.store.fingerprint import digest

SCHEMA: Final = "w2s-cache/run-record/2"

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
        files: Size and hash of every file beside the record, by name; filled in when the run is
            written.
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
    files: dict[FileName, FileDigest] = dataclasses.field(default_factory=dict)
    schema: Literal["w2s-cache/run-record/2"] = SCHEMA

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
