"""What the cache holds now, as the ``inputs`` of a run that would be made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.results import RunRecord
from w2s_cache.store.contents import cached_domains
from w2s_cache.store.feature_set import (
    FeatureSet,
    StoreRef,
    feature_set_path,
    load_feature_set,
    open_member,
)
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.layout import FAILURES_FILE
from w2s_cache.train.current import Features, Held, features_of
from w2s_cache.train.digests import anchors_digest, input_digests


def held_inputs(
    home: Path,
    records: Iterable[RunRecord],
    *,
    unreadable: Callable[[Features, StoreError], None] | None = None,
) -> Held:
    """What the cache holds of the features that records name; no array is read.

    Features of another request than a record's are other features: they are not among them, nor
    are those that the cache lacks.

    Args:
        home: Cache home; one that does not exist holds nothing.
        records: Run records.
        unreadable: Told of features that cannot be read, which then count as not held; None to
            raise what is wrong with them.

    Raises:
        CorruptStoreError: A feature set, or what tells the images it lacks, is damaged.
        StoreError: A store that lacks images is incomplete, or another one is in its place.
    """
    found = {}
    for features in dict.fromkeys(map(features_of, records)):
        try:
            stored = _stored(home, features)
            if stored is not None:
                found[features] = inputs_of(home, stored, anchored=features.anchored)
        except StoreError as error:
            if unreadable is None:
                raise
            unreadable(features, error)
    return found


def held_if_readable(home: Path, records: Iterable[RunRecord]) -> Held:
    """What can be read of what the cache holds, for callers who say what cannot by other means."""
    return held_inputs(home, records, unreadable=lambda *_: None)


def inputs_of(home: Path, found: FeatureSet, *, anchored: bool) -> dict[str, Any]:
    """The ``inputs`` of a run that would be made of a feature set.

    Args:
        home: Cache home.
        found: The feature set.
        anchored: Whether class means of other domains stand in for text.

    Raises:
        CorruptStoreError: What tells the images that were skipped is damaged.
        StoreError: A store that lacks images is incomplete, or another one is in its place.
    """
    inputs = input_digests(found, _skipped(home, found.image, found.logits))
    return inputs | (_anchors(home, found) if anchored else {})


def _stored(home: Path, features: Features) -> FeatureSet | None:
    """The feature set of these names and this request; None where there is none."""
    names = {name: getattr(features, name) for name in ("dataset", "domain", "strong", "weak")}
    path = feature_set_path(home, **names)
    try:
        found = load_feature_set(path)
    except CorruptStoreError as error:
        if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
            return None
        raise
    same = all(getattr(found, name) == value for name, value in names.items())
    return found if same and digest(found.request) == features.request else None


def _anchors(home: Path, found: FeatureSet) -> dict[str, str]:
    pair = {"strong": found.strong, "weak": found.weak}
    others = [
        load_feature_set(feature_set_path(home, dataset=found.dataset, domain=domain, **pair))
        for domain in cached_domains(home, found.dataset, **pair)
        if domain != found.domain
    ]
    return anchors_digest((other, _skipped(home, other.image)) for other in others)


def _skipped(home: Path, *stores: StoreRef) -> Sequence[int]:
    """Rows that any of the stores lacks, ascending; only those that list some are opened."""
    listing = [ref for ref in stores if (home / ref.path / FAILURES_FILE).is_file()]
    return sorted({f.row for ref in listing for f in open_member(home, ref).failures()})
