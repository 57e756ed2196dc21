"""Refuses records that do not belong in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from w2s_cache.errors import RecordError
from w2s_cache.results import RunRecord
from w2s_cache.tables.collect import column_of
from w2s_cache.tables.flatten import flatten
from w2s_cache.tables.layout import Varied

_FIELDS: tuple[Varied, ...] = ("domain", "strong", "weak")


def check_comparable(records: Sequence[RunRecord], columns: Varied = "domain") -> None:
    """Refuses records whose numbers cannot stand beside each other.

    All records share data set, domain, strong and weak model (except the one that is varied from
    column to column) and protocol (the way of selection may differ between methods, it is printed);
    records of one column share what was read and how many rows were evaluated, and different
    columns differ only in what their domain or model changes, so that all domains of a pair of
    models were extracted by one request; records of one method share
    configuration and selection. An input that a method does not read (null or absent) differs from
    nothing.

    Args:
        records: What is to stand in one table.
        columns: The field that columns are made of.

    Raises:
        RecordError: They differ; the message names each field with its values. Or two records
            are of one method, column and seed.
    """
    varied = {f for f in _FIELDS if len({column_of(record, f) for record in records}) > 1}
    whole = {"the table": records}
    by_column = _grouped(records, lambda record: column_of(record, columns))
    several = whole if len(by_column) > 1 else {}
    differences = [
        *_differing(whole, lambda members: _common(members, columns)),
        *_differing(several, lambda members: _read(members, varied)),
        *_differing(by_column, lambda members: _read(members, varied - {columns})),
        *_differing(_grouped(records, lambda record: record.method), _of_method),
    ]
    if differences:
        raise RecordError(
            "run records do not belong in one table",
            expected=f"only the {columns} to vary, and one configuration per method",
            found="; ".join(differences),
            fix="Filter the records, or run the differing methods again.",
        )
    _refuse_twins(records, columns)


def _common(records: Sequence[RunRecord], columns: Varied) -> list[dict[str, str]]:
    """What all records share, whatever column they stand in."""
    fields = ("dataset", *(field for field in _FIELDS if field != columns))
    return [
        _shown(
            {field: getattr(record, field) for field in fields}
            | {f"protocol.{k}": v for k, v in record.protocol.items() if k != "select"}
        )
        for record in records
    ]


def _read(records: Sequence[RunRecord], varied: Set[Varied]) -> list[dict[str, str]]:
    """What was read and evaluated, where a record says so; the first value fills gaps.

    What differs wherever one of the ``varied`` fields does is left out.
    """
    present: list[dict[str, Any]] = []
    for record in records:
        inputs = {f"inputs.{k}": v for k, v in record.inputs.items() if v is not None}
        inputs.setdefault("inputs.skipped_key", "nothing skipped")
        rows = {"counts.eval": record.counts.get("eval")} if record.status == "done" else {}
        present.append({k: v for k, v in (inputs | rows).items() if not _follows(k, varied)})
    known: dict[str, Any] = {}
    for member in present:
        known = member | known
    return [_shown(known | member) for member in present]


def _follows(name: str, varied: Set[Varied]) -> bool:
    """Whether this differs with the domain (nearly everything), the weak or the strong model.

    The request is that of a pair of models, the same on all their domains.
    """
    if name in ("counts.eval", "inputs.index_digest"):
        return "domain" in varied
    if name == "inputs.skipped_key":
        return bool(varied)
    if name == "inputs.request_digest":
        return bool({"strong", "weak"} & varied)
    return "domain" in varied or ("weak" if name == "inputs.logits_key" else "strong") in varied


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


def _refuse_twins(records: Iterable[RunRecord], columns: Varied) -> None:
    seen: dict[tuple[str, str, int], str] = {}
    for record in records:
        column = column_of(record, columns)
        key = (record.method, column, record.seed)
        if key in seen:
            raise RecordError(
                f"two records of {record.method} on {column} with seed {record.seed}",
                expected=f"one record for each method, {columns} and seed",
                found=f"{seen[key]} and {record.run_id}",
                fix="Filter the records, or remove the directory of one of them.",
            )
        seen[key] = record.run_id
