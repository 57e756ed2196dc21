"""The parts of a feature set, each one store: strong image features, text features, weak logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from w2s_cache.data.images import IndexedFile
from w2s_cache.data.templates import resolve_templates
from w2s_cache.encoders.device import leaves_cores_idle
from w2s_cache.encoders.protocol import ImageEncoder, StrongEncoder, TextEncoder
from w2s_cache.extract.crew import Crew
from w2s_cache.extract.crew_member import Load
from w2s_cache.extract.images import ImageJob, fill_store
from w2s_cache.extract.imported import imported_logits
from w2s_cache.extract.loaders import strong_loader, weak_loader
from w2s_cache.extract.progress import Progress, waiting
from w2s_cache.extract.request import ExtractRequest
from w2s_cache.extract.text import fill_text_store, text_key
from w2s_cache.extract.weak_training import WeakTraining
from w2s_cache.store.feature_set import StoreRef
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.index import Index
from w2s_cache.store.layout import ArraySpec, domain_path, slug, store_path
from w2s_cache.store.writer import open_writer
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
    directory = store_path(
        request.home,
        dataset=index.dataset,
        kind="text",
        name=request.strong_name,
        key_digest=digest(key),
    )
    rows = fill_text_store(directory, text=text, key=key, progress=progress)
    return _ref(request.home, directory, key), rows


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
    directory = _directory(request, index, "logits", request.weak_name, key)
    spec = ArraySpec(name="logits", row_shape=(len(index.classes),), dtype="float32")
    with open_writer(
        directory,
        kind="logits",
        key=key,
        rows=len(index),
        arrays=[spec],
        shard_rows=request.spec.store.shard_rows,
        attributes={"domain": index.domain},
        timeout=-1,
        on_wait=waiting(progress, f"{index.domain}: {request.weak_name}"),
    ) as writer:
        missing = writer.missing()
        for start, stop in missing:
            writer.write(start, {"logits": logits[start:stop]})
    return _ref(request.home, directory, key), sum(stop - start for start, stop in missing)


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
        directory=_directory(request, index, str(key["kind"]), name, key),
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
    return _ref(request.home, job.directory, key), rows


def _crew(request: ExtractRequest, encoder: ImageEncoder, load: Load) -> Crew | None:
    if not request.crew:
        return None
    return Crew(devices=request.crew, load=load, identity=encoder.identity())


def _directory(
    request: ExtractRequest, index: Index, kind: str, name: str, key: Mapping[str, Any]
) -> Path:
    return store_path(
        request.home,
        dataset=index.dataset,
        domain=index.domain,
        kind=kind,
        name=name,
        key_digest=digest(key),
    )


def _ref(home: Path, directory: Path, key: Mapping[str, Any]) -> StoreRef:
    return StoreRef(path=directory.relative_to(home).as_posix(), key_digest=digest(key))
