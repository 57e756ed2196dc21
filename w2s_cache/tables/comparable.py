"""Refuses records that do not belong in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from w2s_cache.errors import RecordError
from w2s_cache.results import RunRecord
from w2s_cache.tables.flatten import flatten


def check_comparable(records: Sequence[RunRecord]) -> None:
    """Refuses records whose numbers cannot stand beside each other.

    All records share data set, strong and weak model and protocol (the way of selection may
    differ between methods, it is printed); records of one domain share what was read and how
    many rows were evaluated; records of one method share configuration and selection. An input
    that a method does not read (null or absent) differs from nothing.

    Raises:
        RecordError: They differ; the message names each field with its values. Or two records
            are of one method, domain and seed.
    """
    differences = [
        *_differing({"the table": records}, _common),
        *_differing(_grouped(records, lambda record: record.domain), _of_domain),
        *_differing(_grouped(records, lambda record: record.method), _of_method),
    ]
    if differences:
        raise RecordError(
            "run records do not belong in one table",
            expected="one protocol, one pair of models, one configuration per method",
            found="; ".join(differences),
            fix="Filter the records, or run the differing methods again.",
        )
    _refuse_twins(records)


def _common(records: Sequence[RunRecord]) -> list[dict[str, str]]:
    """What all records share."""
    return [
        _shown(
            {"dataset": record.dataset, "strong": record.strong, "weak": record.weak}
            | {f"protocol.{k}": v for k, v in record.protocol.items() if k != "select"}
        )
        for record in records
    ]


def _of_domain(records: Sequence[RunRecord]) -> list[dict[str, str]]:
    """What the records of one domain share, where they have it; the first value fills gaps."""
    present: list[dict[str, Any]] = []
    for record in records:
        inputs = {f"inputs.{k}": v for k, v in record.inputs.items() if v is not None}
        rows = {"counts.eval": record.counts.get("eval")} if record.status == "done" else {}
        present.append(inputs | rows)
    known: dict[str, Any] = {}
    for member in present:
        known = member | known
    return [_shown(known | member) for member in present]


def _of_method(records: Sequence[RunRecord]) -> list[dict[str, str]]:
    """What the done records of one method share."""
    return [
        _shown(
            {"protocol.select": record.protocol.get("select")}
            | dict(flatten({"config": record.config}))
        )
        for record in records
        if record.status == "done"
    ]


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in values.items()}


def _grouped(
    records: Sequence[RunRecord], key: Callable[[RunRecord], str]
) -> dict[str, list[RunRecord]]:
    groups: dict[str, list[RunRecord]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def _differing(
    groups: Mapping[str, Sequence[RunRecord]],
    fields: Callable[[Sequence[RunRecord]], list[dict[str, str]]],
) -> Iterator[str]:
    """Yields a sentence for each field that has several values within a group."""
    for name, records in sorted(groups.items()):
        members = fields(records)
        for field in sorted({field for member in members for field in member}):
            values = sorted({member.get(field, "absent") for member in members})
            if len(values) > 1:
                yield f"{field} of {name} is {' or '.join(values)}"


def _refuse_twins(records: Iterable[RunRecord]) -> None:
    seen: dict[tuple[str, str, int], str] = {}
    for record in records:
        key = (record.method, record.domain, record.seed)
        if key in seen:
            raise RecordError(
                f"two records of {record.method} on {record.domain} with seed {record.seed}",
                expected="one record for each method, domain and seed",
                found=f"{seen[key]} and {record.run_id}",
                fix="Filter the records, or remove the directory of one of them.",
            )
        seen[key] = record.run_id
