"""Which run records belong to a spec as it stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s_cache.errors import TrainError, UnknownNameError
from w2s_cache.results import RunRecord
from w2s_cache.spec import Spec
from w2s_cache.train.settings import declare


def matching(
    records: Sequence[RunRecord], spec: Spec, options: Mapping[str, Any]
) -> list[RunRecord]:
    """Keeps records of the spec's present settings, made from the newest features.

    ``options`` are hyper-parameters that override the spec's, for the methods that have them.
    Every domain and pair of models has newest features of its own. A record of edited
    hyper-parameters, protocol or data stays where it is and is left out here; the caller says how
    many.
    """
    newest: dict[tuple[str, ...], RunRecord] = {}
    for record in records:
        known = newest.get(_features(record))
        if known is None or record.created > known.created:
            newest[_features(record)] = record
    return [
        record
        for record in records
        if record.inputs == newest[_features(record)].inputs and _as_declared(record, spec, options)
    ]


def _features(record: RunRecord) -> tuple[str, ...]:
    """The names of the features a record was made from; each has a newest version of its own."""
    return record.dataset, record.domain, record.strong, record.weak


def _as_declared(record: RunRecord, spec: Spec, options: Mapping[str, Any]) -> bool:
    try:
        declared = declare(spec, record.method, _own(spec, record.method, options))
    except UnknownNameError:  # a method of a package that is not installed any more
        return False
    return record.config == declared["config"] and record.protocol == declared["protocol"]


def _own(spec: Spec, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options this method has."""
    return {name: value for name, value in options.items() if _has(spec, method, name, value)}


def _has(spec: Spec, method: str, name: str, value: Any) -> bool:
    try:
        declare(spec, method, {name: value})
    except TrainError:
        return False
    return True
