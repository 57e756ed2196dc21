"""Which runs are current: those made of the features that the cache holds, whatever their dates.

Images may change and change back, logits be imported anew, a clock be behind: a date does not tell
what a run was made from. Its ``inputs`` do, and the cache says which of them are there now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from w2s_cache.command_line import command_line
from w2s_cache.errors import StaleStoreError
from w2s_cache.results import RunRecord
from w2s_cache.train.digests import ANCHORS, REQUEST


class Features(NamedTuple):
    """The names of the features of a run, and what was asked for under them.

    Attributes:
        dataset: Data set.
        domain: Domain.
        strong: Strong model.
        weak: Weak model.
        request: Digest of the request they were made for; None in a record that does not say it.
        anchored: Whether class means of other domains stand in for text.
    """

    dataset: str
    domain: str
    strong: str
    weak: str
    request: str | None
    anchored: bool


Held = Mapping[Features, Mapping[str, Any]]
"""The ``inputs`` of a run that would be made now, of all features that the cache holds."""

NOTHING_HELD: Held = {}


def features_of(record: RunRecord) -> Features:
    """The names of the features a run was made from, and of which request."""
    return Features(
        dataset=record.dataset,
        domain=record.domain,
        strong=record.strong,
        weak=record.weak,
        request=record.inputs.get(REQUEST),
        anchored=record.inputs.get(ANCHORS) is not None,
    )


def current(records: Sequence[RunRecord], held: Held) -> list[RunRecord]:
    """Of every domain and pair of models the records of one state of the features, in order.

    It is the state that the cache holds, where any record was made of it. Where none was, or the
    cache holds no such features, it is that of the newest record; :func:`outdated` tells which of
    the two.

    Args:
        records: Records of features that are asked for now.
        held: What the cache holds, of ``held_inputs``.
    """
    counting: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for record in sorted(records, key=lambda record: record.created):
        counting[_names(record)] = record.inputs  # the newest comes last
    for record in records:
        if _is_held(record, held):
            counting[_names(record)] = record.inputs
    return [record for record in records if record.inputs == counting[_names(record)]]


def outdated(records: Sequence[RunRecord], held: Held) -> list[RunRecord]:
    """The records made of other features than those that the cache holds under the same names."""
    return [r for r in records if features_of(r) in held and not _is_held(r, held)]


def refuse_outdated(records: Sequence[RunRecord], held: Held) -> None:
    """Checks that runs on one domain were made of the features that are held.

    Args:
        records: Runs of one data set, domain and pair of models.
        held: What is held.

    Raises:
        StaleStoreError: Some were not; each digest in which the first of them differs is named.
    """
    others = outdated(records, held)
    if not others:
        return
    first = others[0]
    inputs = held[features_of(first)]
    names = [n for n in {**first.inputs, **inputs} if first.inputs.get(n) != inputs.get(n)]
    command = command_line(
        "train",
        method=tuple(dict.fromkeys(record.method for record in others)),
        domain=first.domain,
        seeds=sorted({record.seed for record in others}),
        strong=first.strong,
        weak=first.weak,
    )
    raise StaleStoreError(
        f"the features of {first.dataset}/{first.domain} changed after the run was made",
        expected=", ".join(f"{name} {str(first.inputs.get(name))[:12]}" for name in names),
        found=", ".join(f"{name} {str(inputs.get(name))[:12]}" for name in names),
        fix=f"Run `{command}`.",
    )


def _names(record: RunRecord) -> tuple[str, ...]:
    return record.dataset, record.domain, record.strong, record.weak


def _is_held(record: RunRecord, held: Held) -> bool:
    return record.inputs == held.get(features_of(record))
