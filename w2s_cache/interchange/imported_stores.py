"""Imported features and class text as ordinary stores, whose keys say that they were imported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from w2s_cache.extract.given_rows import store_given
from w2s_cache.extract.progress import Progress
from w2s_cache.interchange.declaration import check_rows, settle
from w2s_cache.interchange.find_source import read_source
from w2s_cache.interchange.import_request import ImportRequest
from w2s_cache.interchange.row_identity import INDEX_ORDER, identify_rows, match_rows
from w2s_cache.interchange.source import FeatureSource, refusal
from w2s_cache.interchange.text_source import TextSource, read_text_source
from w2s_cache.store.feature_set import StoreRef
from w2s_cache.store.fingerprint import file_sha256
from w2s_cache.store.index import Index
from w2s_cache.store.layout import ArraySpec


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImportedImages:
    """Features that were looked at: a source, where its rows belong, and the key of their store."""

    source: FeatureSource
    order: npt.NDArray[np.int64]
    key: dict[str, Any]

    @classmethod
    def read(
        cls, request: ImportRequest, index: Index, *, elsewhere: Callable[[str], bool]
    ) -> ImportedImages:
        """Reads a source, matches it with an index and checks every row; writes nothing.

        Raises:
            ImportedFeaturesError: It is not what is declared, or not of these images.
        """
        source = read_source(request.source)
        encoder = settle(request.declared, source)
        _refuse_other_images(source, index)
        source = identify_rows(source, index, order=request.order, prefix=request.prefix)
        order = match_rows(source, index, elsewhere=elsewhere)
        dtype = request.extract.spec.store.dtype
        check_rows(source, order, normalized=encoder["normalized"], dtype=dtype)
        origin: dict[str, Any] = {
            "format": source.format,
            "files": [file_sha256(file) for file in source.files],
        }
        if request.order == INDEX_ORDER:
            origin["order"] = INDEX_ORDER
        if request.prefix is not None:
            origin["prefix"] = request.prefix
        key = {
            "kind": "image",
            "images": index.images_digest,
            "encoder": encoder,
            "source": origin,
            "dtype": dtype,
        }
        return cls(source=source, order=order, key=key)


def store_images(
    request: ImportRequest, index: Index, images: ImportedImages, progress: Progress
) -> tuple[StoreRef, int]:
    """Writes features in row order, shard by shard; returns the store and the rows written now."""
    asked = request.extract
    spec = ArraySpec(
        name="features", row_shape=(images.source.width,), dtype=asked.spec.store.dtype
    )
    progress.begin(f"{index.domain}: {asked.strong_name}", len(index))

    def rows(start: int, stop: int) -> dict[str, np.ndarray]:
        progress.advance(stop - start)
        return {"features": images.source.rows(images.order[start:stop])}

    facts = {"domain": index.domain, "files": [file.name for file in images.source.files]}
    stored = store_given(
        asked,
        index,
        name=asked.strong_name,
        key=images.key,
        arrays=[spec],
        attributes=facts,
        rows=rows,
        progress=progress,
    )
    progress.end()
    return stored


def imported_text(request: ImportRequest, index: Index, width: int) -> TextSource:
    """Reads a file of class text and compares it with the features; writes nothing.

    Raises:
        ImportedFeaturesError: It is not of these classes, of another width, or cannot be read.
    """
    assert request.text is not None  # noqa: S101 - the caller asked
    text = read_text_source(request.text, classes=index.classes, logit_scale=request.logit_scale)
    if text.features.shape[2] != width:
        raise refusal(f"of class text {request.text}")(
            f"width {width}, as the image features",
            f"width {text.features.shape[2]}",
            "Give the text features of the same model.",
        )
    return text


def store_text(
    request: ImportRequest, index: Index, text: TextSource, progress: Progress
) -> tuple[StoreRef, int]:
    """Writes class text; returns the store and the classes written now.

    Its key holds the digest of the numbers, not of the file: those of all domains share a store.
    """
    scale = {"logit_scale": text.logit_scale, "logit_bias": text.logit_bias}
    asked, declared = request.extract, request.declared
    encoder: dict[str, Any] = {
        "imported": True,
        "model": declared.model,
        "pretrained": declared.pretrained,
    }
    if text.about is not None:
        encoder["exported"] = text.about["key_digest"]
    key = {
        "kind": "text",
        "encoder": encoder,
        "source": {"numbers": hashlib.sha256(text.features.tobytes()).hexdigest()},
        **scale,
        "classes": list(index.classes),
        "templates": list(text.templates),
        "dtype": asked.spec.store.dtype,
    }
    spec = ArraySpec(
        name="features", row_shape=text.features.shape[1:], dtype=asked.spec.store.dtype
    )

    return store_given(
        asked,
        index,
        name=asked.strong_name,
        key=key,
        arrays=[spec],
        attributes=scale,
        rows=lambda start, stop: {"features": text.features[start:stop]},
        progress=progress,
    )


def _refuse_other_images(source: FeatureSource, index: Index) -> None:
    """An export says which images it is of: the same paths with other contents are others."""
    if source.about is None or source.about["images_digest"] == index.images_digest:
        return
    raise refusal(source.origin)(
        f"an export of the images {index.images_digest[:12]} of {index.dataset}/{index.domain}",
        f"one of the images {str(source.about['images_digest'])[:12]} of "
        f"{source.about.get('dataset')}/{source.about.get('domain')}",
        "Give the export of this domain, made from the same image files.",
    )
