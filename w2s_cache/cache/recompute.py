"""Some rows of a domain computed again, from the images, and compared with what is stored.

Hashes tell that bytes are those that were written; only this tells that they are the numbers which
the key describes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from w2s_cache.cache.agreement import Agreement, agreement
from w2s_cache.cache.inventory import take_inventory
from w2s_cache.command_line import command_line
from w2s_cache.data.decode import decode_ahead
from w2s_cache.data.templates import fill
from w2s_cache.errors import ImageError, StaleStoreError, StoreError
from w2s_cache.request import feature_request
from w2s_cache.spec import Spec, StrongSpec, WeakSpec
from w2s_cache.store.feature_set import FeatureSet, open_member, read_feature_set
from w2s_cache.store.fingerprint import diff_keys, file_sha256, stale_error
from w2s_cache.store.index import Index, read_index
from w2s_cache.store.layout import index_path
from w2s_cache.store.reader import Store
from w2s_cache.weak.checkpoint import kept_classifier

if TYPE_CHECKING:
    from w2s_cache.encoders.protocol import ImageEncoder, StrongEncoder, TextEncoder


@dataclass(frozen=True, kw_only=True, slots=True)
class RecomputeRequest:
    """What to compute again and with what.

    Attributes:
        spec: The whole spec.
        strong_name: Name of the strong encoder's section.
        strong: That section.
        weak_name: Name of the weak model's section, or of imported logits.
        weak: That section; None for imported logits, which nothing here can compute.
        home: The cache home.
        root: The data root.
        device: A torch device string.
        workers: Decoding threads.
        rows: How many images and how many classes, drawn at random.
        seed: Seed of the draw.
    """

    spec: Spec
    strong_name: str
    strong: StrongSpec
    weak_name: str
    weak: WeakSpec | None
    home: Path
    root: Path
    device: str
    workers: int
    rows: int
    seed: int


def recompute(
    request: RecomputeRequest, domain: str, encoder: StrongEncoder
) -> Iterator[Agreement]:
    """Yields how far each array of a domain's feature set agrees with numbers computed now.

    Raises:
        StoreError: There is no such feature set, or the weak model was not kept.
        StaleStoreError: It was made with other settings, other images or other weights; each
            difference is named.
        ImageError: An image cannot be decoded.
        EncoderError: The weak network cannot be built.
    """
    found = _feature_set(request, domain)
    index = read_index(index_path(request.home, found.dataset, domain))
    image, logits = open_member(request.home, found.image), open_member(request.home, found.logits)
    drawn = np.random.default_rng(request.seed)
    rows = _drawn(drawn, np.flatnonzero(image.valid() & logits.valid()), request.rows)
    paths = [request.root / index.paths[row] for row in rows]
    _refuse_changed_images(index, rows, paths)
    yield from _images(request, image, encoder, rows, paths, request.strong.batch_size)
    if found.text is not None and encoder.text is not None:
        text = open_member(request.home, found.text)
        yield _texts(text, encoder.text, _drawn(drawn, np.arange(len(index.classes)), request.rows))
    if request.weak is not None:
        kept = _kept_weak_model(request, request.weak, len(index.classes), logits)
        yield from _images(request, logits, kept, rows, paths, request.weak.batch_size)


def _feature_set(request: RecomputeRequest, domain: str) -> FeatureSet:
    return read_feature_set(
        request.home,
        dataset=request.spec.name,
        domain=domain,
        strong=request.strong_name,
        weak=request.weak_name,
        request=feature_request(request.spec, strong=request.strong, weak=request.weak),
    )


def _drawn(generator: np.random.Generator, rows: np.ndarray, count: int) -> np.ndarray:
    return np.sort(generator.choice(rows, size=min(count, len(rows)), replace=False))


def _refuse_changed_images(index: Index, rows: np.ndarray, paths: Sequence[Path]) -> None:
    for row, path in zip(rows, paths, strict=True):
        if (content := file_sha256(path)) != index.sha256[row]:
            raise StaleStoreError(
                f"image {path} changed after its features were made",
                expected=f"sha256 {index.sha256[row][:12]}",
                found=content[:12],
                fix=f"Run `{command_line('extract', domain=index.domain)}` again, or correct "
                "--root.",
            )


def _images(
    request: RecomputeRequest,
    store: Store,
    encoder: ImageEncoder,
    rows: np.ndarray,
    paths: Sequence[Path],
    batch_size: int,
) -> Iterator[Agreement]:
    _refuse_other_model(store, encoder.identity())
    computed: dict[str, list[np.ndarray]] = {name: [] for name in encoder.widths}
    batches = decode_ahead(
        paths, encoder.preprocess, batch_size=batch_size, workers=request.workers
    )
    for batch in batches:
        for failure in batch.failures:
            raise ImageError(
                f"image {failure.path}",
                expected="one that Pillow reads, as when it was extracted",
                found=failure.reason,
                fix="Repair it, or run `w2s-cache extract` again.",
            )
        for name, values in encoder.encode_images(batch.pixels).items():
            computed[name].append(values.numpy())
    for name, parts in computed.items():
        stored = store.read(name, rows=rows)
        yield agreement(store.manifest.kind, name, rows, stored, np.concatenate(parts))


def _texts(store: Store, text: TextEncoder, rows: np.ndarray) -> Agreement:
    _refuse_other_model(store, text.identity())
    key: dict[str, Any] = store.manifest.key
    prompts = [fill(t, key["classes"][row]) for row in rows for t in key["templates"]]
    parts = torch.split(text.tokenize(prompts), 256)
    computed = np.concatenate([text.encode_text(part).numpy() for part in parts])
    stored = store.read("features", rows=rows)
    return agreement("text", "features", rows, stored, computed.reshape(stored.shape))


def _refuse_other_model(store: Store, identity: Any) -> None:
    differences = diff_keys(store.manifest.key["encoder"], dict(identity))
    if differences:
        what = f"{store.directory} was computed by another model"
        raise stale_error(what, differences, fix="Run `w2s-cache extract --recheck`.")


def _kept_weak_model(
    request: RecomputeRequest, weak: WeakSpec, classes: int, logits: Store
) -> ImageEncoder:
    """The fine-tuned weak model of the cache whose weights the key of its logits names."""
    named = str(logits.manifest.key["encoder"]["weights"])
    kept = [entry for entry in take_inventory(request.home).weak if entry.weights == named]
    if not kept:
        raise StoreError(
            f"the weak model {request.weak_name} was not kept",
            expected=f"a fine-tuned model of weights {named[:12]} beside {logits.directory.parent}",
            found="none",
            fix="Run `w2s-cache extract --recheck`: it trains the model again.",
        )
    folder = request.home / kept[0].path
    return kept_classifier(folder, weak=weak, classes=classes, device=request.device)
