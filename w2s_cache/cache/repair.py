"""The command that makes a damaged part of a feature set again, with all that the cache knows."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from w2s_cache.command_line import SPEC_PLACE, features_command
from w2s_cache.errors import StoreError
from w2s_cache.spec_files import spec_names
from w2s_cache.store.domain_command import origin_options
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.reader import read_manifest

_IMPORTED: Final = {"imported": True}


def repair_command(home: Path, found: FeatureSet, *, skip: bool = False) -> str:
    """The command that brings a feature set up to date.

    Args:
        home: The cache home.
        found: The feature set.
        skip: Whether images that cannot be used are to be left out, as they were before.
    """
    imported = found.request.get("strong") == _IMPORTED
    origin: dict[str, object] = {}
    if imported:
        with contextlib.suppress(StoreError):  # `import` asks for what nothing says any more
            origin = origin_options(read_manifest(home / found.image.path)) | _text(home, found)
    if found.request.get("weak") == _IMPORTED:
        origin["weak_logits"] = "FILE"
    return features_command(
        domain=found.domain,
        strong=found.strong,
        weak=found.weak,
        imported=imported,
        spec=spec_of(found.dataset),
        on_error="skip" if skip and not imported else None,
        **origin,
    )


def spec_of(dataset: str) -> str:
    """The spec of a data set: a shipped one is called like it, else a placeholder."""
    return dataset if dataset in spec_names() else SPEC_PLACE


def _text(home: Path, found: FeatureSet) -> dict[str, object]:
    """Where imported features have class text from; an export brings its own."""
    if found.text is None:
        return {}
    encoder = read_manifest(home / found.text.path).key.get("encoder", {})
    if "exported" in encoder:
        return {}
    return {"text": "TEXT" if encoder.get("imported") else "model"}
