"""Which run records belong to a spec as it stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s_cache.errors import TrainError, UnknownNameError
from w2s_cache.results import RunRecord
from w2s_cache.sections import AS_DECLARED, Overrides, request_digest, strong_section_of
from w2s_cache.spec import Spec
from w2s_cache.store.fingerprint import diff_keys
from w2s_cache.train.current import NOTHING_HELD, Held, current
from w2s_cache.train.digests import ANCHORS, REQUEST
from w2s_cache.train.settings import declare


def matching(
    records: Sequence[RunRecord],
    spec: Spec,
    options: Mapping[str, Any],
    overrides: Overrides = AS_DECLARED,
    held: Held = NOTHING_HELD,
) -> list[RunRecord]:
    """Keeps records of the spec's present settings, made from features it asks for now.

    ``options`` are hyper-parameters that override the spec's, for the methods that have them;
    ``overrides`` are what was said of the models beside the spec. A record of edited templates,
    models, hyper-parameters, protocol or data stays where it is and is left out here; the caller
    says how many. Features of one request may still differ (images that changed, logits that were
    imported anew): which of them count, given what the cache holds, says
    :func:`w2s_cache.train.current.current`.

    Raises:
        SpecError: A checkpoint file of a pair is missing.
    """
    made = current(requested(records, spec, overrides), held)
    return [record for record in made if not _differing(record, spec, options)]


def requested(
    records: Sequence[RunRecord], spec: Spec, overrides: Overrides = AS_DECLARED
) -> list[RunRecord]:
    """Keeps records made from features that the spec asks for now, whatever their settings.

    Raises:
        SpecError: A checkpoint file of a pair of models is missing.
    """
    asked = _Asked(spec, overrides)
    return [record for record in records if asked.by(record)]


def differing_settings(
    records: Sequence[RunRecord],
    spec: Spec,
    options: Mapping[str, Any],
    overrides: Overrides = AS_DECLARED,
    held: Held = NOTHING_HELD,
) -> list[str]:
    """Names of the settings in which any record is not what the spec declares now, sorted.

    They are ``protocol.NAME``, ``config.…``, ``method`` where a method is not installed any more,
    ``inputs.request_digest`` of a record made from features that the spec does not ask for now
    (other templates, models, …), or ``inputs`` of one made from features that are not current.
    """
    asked = _Asked(spec, overrides)
    kept = {record.run_id for record in matching(records, spec, options, overrides, held)}
    names: set[str] = set()
    for record in records:
        if record.run_id not in kept:
            stale = [] if asked.by(record) else [f"inputs.{REQUEST}"]
            names |= set([*_differing(record, spec, options), *stale] or ["inputs"])
    return sorted(names)


def methods_without(
    spec: Spec, methods: Sequence[str], options: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """The methods that have no such setting, or no such value of it, by the setting's name.

    :func:`matching` finds their records as if it had not been asked for.
    """
    return {
        name: tuple(method for method in methods if not _has(spec, method, name, value))
        for name, value in options.items()
    }


class _Asked:
    """What a spec asks the cache for now; every pair of models is looked at once."""

    def __init__(self, spec: Spec, overrides: Overrides) -> None:
        self._spec, self._overrides = spec, overrides
        self._digests: dict[tuple[str, str], str] = {}

    def by(self, record: RunRecord) -> bool:
        """Whether the record's features are those that are asked for."""
        if record.inputs.get(REQUEST) is None:
            return False
        pair = record.strong, record.weak
        if pair not in self._digests:
            self._digests[pair] = self._digest(*pair)
        if record.inputs.get(REQUEST) != self._digests[pair]:
            return False
        return (record.inputs.get(ANCHORS) is not None) == self._anchored(record.strong)

    def _anchored(self, strong: str) -> bool:
        """Whether class means of other domains stand in for text, which no request says."""
        return strong_section_of(self._spec, strong, self._overrides)[1].anchors != "none"

    def _digest(self, strong: str, weak: str) -> str:
        return request_digest(self._spec, strong=strong, weak=weak, overrides=self._overrides)


def _differing(record: RunRecord, spec: Spec, options: Mapping[str, Any]) -> list[str]:
    """Names of the settings of one record that are not the spec's; ``method`` where it is gone."""
    try:
        declared = declare(spec, record.method, _own(spec, record.method, options))
    except UnknownNameError:
        return ["method"]
    stored = {"protocol": record.protocol, "config": record.config}
    return [difference.field for difference in diff_keys(stored, declared)]


def _own(spec: Spec, method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options this method has."""
    return {name: value for name, value in options.items() if _has(spec, method, name, value)}


def _has(spec: Spec, method: str, name: str, value: Any) -> bool:
    try:
        declare(spec, method, {name: value})
    except TrainError:
        return False
    return True
