"""Some rows of a domain computed again, from the images, and compared with what is stored.

Hashes tell that bytes are those that were written; only this tells that they are the numbers which
the key describes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from w2s_cache.cache.agreement import Agreement, agreement
from w2s_cache.cache.inventory import take_inventory
from w2s_cache.command_line import command_line
from w2s_cache.data.decode import Failure, decode_ahead
from w2s_cache.data.images import IndexedFile
from w2s_cache.data.index_build import indexed_file
from w2s_cache.data.templates import fill
from w2s_cache.errors import ImageError, StaleStoreError, StoreError
from w2s_cache.extract.request import ExtractRequest, stored_set
from w2s_cache.spec import WeakSpec
from w2s_cache.store.feature_set import open_member
from w2s_cache.store.fingerprint import diff_keys, stale_error
from w2s_cache.store.index_agreement import open_member_of, read_index_of
from w2s_cache.store.reader import Store
from w2s_cache.weak.checkpoint import kept_classifier

if TYPE_CHECKING:
    from w2s_cache.encoders.protocol import ImageEncoder, StrongEncoder, TextEncoder


@dataclass(frozen=True, kw_only=True, slots=True)
class RecomputeRequest:
    """What to compute again and with what.

    Attributes:
        extract: What an extraction would be asked for; its device is a torch device string, and
            its weak section is None for imported logits, which nothing here can compute.
        rows: How many images and how many classes, drawn at random.
        seed: Seed of the draw.
    """

    extract: ExtractRequest
    rows: int
    seed: int


def recompute(
    request: RecomputeRequest, domain: str, encoder: StrongEncoder | None
) -> Iterator[Agreement]:
    """Yields how far each array of a domain's feature set agrees with numbers computed now.

    Without an encoder, which imported features have not, only weak logits are computed.

    Raises:
        StoreError: There is no such feature set, or the weak model was not kept.
        StaleStoreError: It was made with other settings, other images or other weights; each
            difference is named.
        ImageError: An image cannot be used.
        EncoderError: The weak network cannot be built.
    """
    asked = request.extract
    found = stored_set(asked, domain)
    index = read_index_of(asked.home, found)
    member = functools.partial(open_member_of, index, asked.home)
    image, logits = member(found.image), member(found.logits)
    generator = np.random.default_rng([request.seed, *domain.encode()])  # other rows in each domain
    rows = _drawn(generator, np.flatnonzero(image.valid() & logits.valid()), request.rows)
    files = [indexed_file(index, row, asked.root) for row in rows]
    again = functools.partial(_images, rows=rows, files=files, domain=domain, workers=asked.workers)
    if encoder is not None:
        yield from again(image, encoder, batch_size=asked.strong.batch_size)
    if found.text is not None and encoder is not None and encoder.text is not None:
        text = member(found.text)
        yield _texts(
            text, encoder.text, _drawn(generator, np.arange(len(index.classes)), request.rows)
        )
    if asked.weak is not None:
        kept = _kept_weak_model(asked, asked.weak, len(index.classes), logits)
        yield from again(logits, kept, batch_size=asked.weak.batch_size)


def source_files(request: ExtractRequest, domain: str) -> str:
    """Names of the files that imported features of a domain were taken from.

    Raises:
        StoreError: There is no such feature set.
        StaleStoreError: It was made with other settings.
    """
    store = open_member(request.home, stored_set(request, domain).image)
    names: Any = store.manifest.attributes.get("files", ())
    return ", ".join(names)


def _drawn(generator: np.random.Generator, rows: np.ndarray, count: int) -> np.ndarray:
    return np.sort(generator.choice(rows, size=min(count, len(rows)), replace=False))


def _images(
    store: Store,
    encoder: ImageEncoder,
    *,
    rows: np.ndarray,
    files: Sequence[IndexedFile],
    domain: str,
    batch_size: int,
    workers: int,
) -> Iterator[Agreement]:
    _refuse_other_model(store, encoder.identity())
    computed: dict[str, list[np.ndarray]] = {name: [] for name in encoder.widths}
    batches = decode_ahead(files, encoder.preprocess, batch_size=batch_size, workers=workers)
    for batch in batches:
        for failure in batch.failures:
            raise _unusable(failure, domain)
        for name, values in encoder.encode_images(batch.pixels).items():
            computed[name].append(values.numpy())
    stored = store.read_together(tuple(computed), rows=rows)
    for name, parts in computed.items():
        yield agreement(store.manifest.kind, name, rows, stored[name], np.concatenate(parts))


def _unusable(failure: Failure, domain: str) -> StaleStoreError | ImageError:
    if failure.stage == "read":
        return StaleStoreError(
            f"image {failure.path} changed after its features were made",
            expected="the file that was indexed",
            found=failure.reason,
            fix=f"Run `{command_line('extract', domain=domain)}` again, or correct --root.",
        )
    return ImageError(
        f"image {failure.path}",
        expected="one that Pillow reads, as when it was extracted",
        found=failure.reason,
        fix="Repair it, or run `w2s-cache extract` again.",
    )


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
    request: ExtractRequest, weak: WeakSpec, classes: int, logits: Store
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
