"""The parts of a feature set, each one store: strong image features, text features, weak logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s_cache.data.images import IndexedFile
from w2s_cache.data.templates import resolve_templates
from w2s_cache.encoders.device import leaves_cores_idle
from w2s_cache.encoders.protocol import ImageEncoder, StrongEncoder, TextEncoder
from w2s_cache.extract.crew import Crew
from w2s_cache.extract.crew_member import Load
from w2s_cache.extract.given_rows import store_given
from w2s_cache.extract.images import ImageJob, fill_store
from w2s_cache.extract.imported import imported_logits
from w2s_cache.extract.loaders import strong_loader, weak_loader
from w2s_cache.extract.progress import Progress, waiting
from w2s_cache.extract.request import ExtractRequest
from w2s_cache.extract.store_place import place_of, ref_to
from w2s_cache.extract.text import fill_text_store, text_key
from w2s_cache.extract.weak_training import WeakTraining
from w2s_cache.store.feature_set import StoreRef
from w2s_cache.store.index import Index
from w2s_cache.store.layout import ArraySpec, domain_path, slug
from w2s_cache.weak.checkpoint import weak_classifier

_AHEAD = 2  # batches


def image_part(
    request: ExtractRequest,
    index: Index,
    files: Sequence[IndexedFile],
    encoder: StrongEncoder,
    progress: Progress,
) -> tuple[StoreRef, int]:
    """Strong features of every image; returns the store and the rows computed now."""
    dtype = request.spec.store.dtype
    key = {
        "kind": "image",
        "images": index.images_digest,
        "encoder": dict(encoder.identity()),
        "dtype": dtype,
    }
    return _fill(
        request,
        index,
        files,
        encoder,
        key=key,
        name=request.strong_name,
        dtype=dtype,
        load=strong_loader(request.strong),
        batch_size=request.batch_size or request.strong.batch_size,
        progress=progress,
    )


def text_part(
    request: ExtractRequest, index: Index, text: TextEncoder, progress: Progress
) -> tuple[StoreRef, int]:
    """Text features of every class and template; returns the store and the classes computed."""
    templates = resolve_templates(request.strong.templates)
    key = text_key(text, index.classes, templates, request.spec.store.dtype)
    directory = place_of(request, index, request.strong_name, key)
    rows = fill_text_store(directory, text=text, key=key, progress=progress)
    return ref_to(directory, request.home, key), rows


def weak_part(
    request: ExtractRequest, index: Index, files: Sequence[IndexedFile], progress: Progress
) -> tuple[StoreRef, int]:
    """Logits of the weak model for every image, fine-tuning it first when that was never done."""
    weak = request.weak
    assert weak is not None  # noqa: S101 - imported predictions take the other branch
    place = (
        domain_path(request.home, index.dataset, index.domain) / "weak" / slug(request.weak_name)
    )
    train = WeakTraining(request, weak, index, files, progress)
    classifier, _ = weak_classifier(
        lambda key_digest: place.with_name(f"{place.name}-{key_digest[:12]}"),
        weak=weak,
        classes=index.classes,
        trained_on=index.digest,
        device=request.device,
        train=train.finetune,
        unusable=train.unusable if request.on_error == "skip" else None,
        retry=request.retry_skipped,
        on_wait=waiting(progress, f"{index.domain}: {request.weak_name}"),
    )
    assert classifier.directory is not None  # noqa: S101 - it was trained or read there
    key = {
        "kind": "logits",
        "images": index.images_digest,
        "classes": list(index.classes),
        "encoder": classifier.identity(),
    }
    return _fill(
        request,
        index,
        files,
        classifier,
        key=key,
        name=request.weak_name,
        dtype="float32",
        load=weak_loader(classifier.directory, weak, classes=len(index.classes)),
        batch_size=request.batch_size or weak.batch_size,
        progress=progress,
    )


def imported_part(
    request: ExtractRequest, index: Index, key: Mapping[str, Any], progress: Progress
) -> tuple[StoreRef, int]:
    """Somebody else's logits in row order."""
    logits = imported_logits(request, index.domain, paths=index.paths, classes=index.classes)
    spec = ArraySpec(name="logits", row_shape=(len(index.classes),), dtype="float32")
    return store_given(
        request,
        index,
        name=request.weak_name,
        key=key,
        arrays=[spec],
        attributes={"domain": index.domain},
        rows=lambda start, stop: {"logits": logits[start:stop]},
        progress=progress,
    )


def _fill(  # noqa: PLR0913 - one call per part, all keyword-only
    request: ExtractRequest,
    index: Index,
    files: Sequence[IndexedFile],
    encoder: ImageEncoder,
    *,
    key: Mapping[str, Any],
    name: str,
    dtype: str,
    load: Load,
    batch_size: int,
    progress: Progress,
) -> tuple[StoreRef, int]:
    job = ImageJob(
        directory=place_of(request, index, name, key),
        kind=str(key["kind"]),
        key=key,
        names=index.paths,
        files=files,
        encoder=encoder,
        dtypes=dict.fromkeys(encoder.widths, dtype),
        attributes={"domain": index.domain},
        label=f"{index.domain}: {name}",
        on_error=request.on_error,
        retry=request.retry_skipped,
        ahead=_AHEAD if leaves_cores_idle(request.device) else 0,
    )
    rows = fill_store(
        job,
        shard_rows=request.spec.store.shard_rows,
        batch_size=batch_size,
        workers=request.workers,
        progress=progress,
        crew=_crew(request, encoder, load),
    )
    return ref_to(job.directory, request.home, key), rows


def _crew(request: ExtractRequest, encoder: ImageEncoder, load: Load) -> Crew | None:
    if not request.crew:
        return None
    return Crew(devices=request.crew, load=load, identity=encoder.identity())
