"""What every exported file says of itself, so that it can be traced and imported again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from w2s_cache import __version__
from w2s_cache.results import RunRecord
from w2s_cache.store.feature_set import FeatureSet, StoreRef, open_member
from w2s_cache.store.index import Index
from w2s_cache.store.shallow_json import parse_json

EXPORT_SCHEMA: Final = "w2s-cache/export/1"


def about_export(
    home: Path,
    found: FeatureSet,
    index: Index,
    *,
    normalized: bool,
    left_out: tuple[str, ...],
    rows: Mapping[str, Any],
) -> dict[str, Any]:
    """The facts of a domain's export, JSON values.

    Args:
        home: The cache home.
        found: The pair's feature set.
        index: The domain's index.
        normalized: Whether feature rows have unit length.
        left_out: Paths of the split's rows that hold no data.
        rows: What the rows are: split and number.
    """
    stores = {"image": found.image, "logits": found.logits, "text": found.text}
    return {
        "schema": EXPORT_SCHEMA,
        "tool": f"w2s-cache {__version__}",
        "dataset": found.dataset,
        "domain": found.domain,
        "strong": found.strong,
        "weak": found.weak,
        "classes": list(index.classes),
        "index_digest": index.digest,
        "images_digest": index.images_digest,
        "normalized": normalized,
        "left_out": list(left_out),
        "stores": {kind: _store(home, ref) for kind, ref in stores.items()},
        **rows,
    }


def run_facts(record: RunRecord) -> dict[str, Any]:
    """What an export says of a run whose predictions it holds."""
    return {"method": record.method, "seed": record.seed, "run_id": record.run_id}


def read_about(text: str | bytes) -> dict[str, Any] | None:
    """The facts in a file's metadata; None where they are not those of an export.

    Raises:
        ValueError: They are those of an export, but what an import needs is missing.
    """
    try:
        about = parse_json(text)
    except ValueError:
        return None
    if not isinstance(about, dict) or about.get("schema") != EXPORT_SCHEMA:
        return None
    try:
        whole = _whole(about)
    except (LookupError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise ValueError("metadata of an export that was changed")
    return about


def _whole(about: Mapping[str, Any]) -> bool:
    """Whether everything that an import takes from the facts is there and of its type."""
    stores: Mapping[str, Any] = about["stores"]
    image, text = stores["image"], stores.get("text")
    numbers = [] if text is None else [text["key"]["logit_scale"], text["key"]["logit_bias"]]
    return (
        isinstance(about["images_digest"], str)
        and isinstance(about["normalized"], bool)
        and isinstance(about["left_out"], list)
        and all(
            isinstance(store["key"], dict) and isinstance(store["key_digest"], str)
            for store in stores.values()
            if store is not None or store is image
        )
        and all(type(number) in (int, float) for number in numbers)
    )


def unit_length(key: Mapping[str, Any]) -> bool:
    """Whether a store's key says that its rows have unit length, as imported ones may have."""
    encoder = key.get("encoder")
    return isinstance(encoder, Mapping) and encoder.get("normalized") is True


def _store(home: Path, ref: StoreRef | None) -> dict[str, Any] | None:
    if ref is None:
        return None
    manifest = open_member(home, ref).manifest
    return {
        "key": manifest.key,
        "key_digest": manifest.key_digest,
        "attributes": manifest.attributes,
        "created": manifest.created,
    }
