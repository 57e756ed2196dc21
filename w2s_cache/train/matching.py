"""Which run records belong to a spec as it stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s_cache.errors import TrainError, UnknownNameError
from w2s_cache.results import RunRecord
from w2s_cache.spec import Spec
from w2s_cache.store.fingerprint import diff_keys
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
    current = [r for r in records if r.inputs == newest[_features(r)].inputs]
    return [record for record in current if not _differing(record, spec, options)]


def differing_settings(
    records: Sequence[RunRecord], spec: Spec, options: Mapping[str, Any]
) -> list[str]:
    """Names of the settings in which any record is not what the spec declares now, sorted.

    They are ``protocol.NAME``, ``config.…``, ``method`` where a method is not installed any more,
    or ``inputs`` of a record made from older features.
    """
    kept = {record.run_id for record in matching(records, spec, options)}
    names: set[str] = set()
    for record in records:
        if record.run_id not in kept:
            names |= set(_differing(record, spec, options) or ["inputs"])
    return sorted(names)


def _differing(record: RunRecord, spec: Spec, options: Mapping[str, Any]) -> list[str]:
    """Names of the settings of one record that are not the spec's; ``method`` where it is gone."""
    try:
        declared = declare(spec, record.method, _own(spec, record.method, options))
    except UnknownNameError:
        return ["method"]
    stored = {"protocol": record.protocol, "config": record.config}
    return [difference.field for difference in diff_keys(stored, declared)]


def _features(record: RunRecord) -> tuple[str, ...]:
    """The names of the features a record was made from; each has a newest version of its own."""
    return record.dataset, record.domain, record.strong, record.weak


def _own(spec: Spec, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options this method has."""
    return {name: value for name, value in options.items() if _has(spec, method, name, value)}


def _has(spec: Spec, method: str, name: str, value: Any) -> bool:
    try:
        declare(spec, method, {name: value})
    except TrainError:
        return False
    return True
