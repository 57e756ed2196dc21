"""Which run records belong to a spec as it stands now."""

from __future__ import annotations

from collections.abc import Sequence

from w2s_cache.errors import UnknownNameError
from w2s_cache.results import RunRecord
from w2s_cache.spec import Spec
from w2s_cache.train.run import declare


def matching(records: Sequence[RunRecord], spec: Spec) -> list[RunRecord]:
    """Keeps records of the spec's present settings, made from the newest features.

    Features are those of one domain and one pair of models. A record of edited hyper-parameters, protocol or data is left where it is and left out here; the
    caller says how many.
    """
    newest: dict[tuple[str, ...], RunRecord] = {}
    for record in records:
        known = newest.get(_features(record))
        if known is None or record.created > known.created:
            newest[_features(record)] = record
    return [
        record
        for record in records
        if record.inputs == newest[_features(record)].inputs and _as_declared(record, spec)
    ]


def _features(record: RunRecord) -> tuple[str, ...]:
    """The names of the features a record was made from; each has a newest version of its own."""
    return record.dataset, record.domain, record.strong, record.weak


def _as_declared(record: RunRecord, spec: Spec) -> bool:
    try:
        declared = declare(spec, record.method, {})
    except UnknownNameError:  # a method of a package that is not installed any more
        return False
    return record.config == declared["config"] and record.protocol == declared["protocol"]
