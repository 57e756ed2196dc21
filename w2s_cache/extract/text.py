"""Class names through a text tower: one row per class, one feature per template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from w2s_cache.data.templates import fill
from w2s_cache.encoders.protocol import TextEncoder
from w2s_cache.extract.progress import Progress, anew, waiting
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.writer import open_writer

_PROMPTS_AT_ONCE = 256


def text_key(
    text: TextEncoder, classes: Sequence[str], templates: Sequence[str], dtype: str
) -> dict[str, Any]:
    """All that changes text features and what is made of them.

    These are the tower, its scale and bias of logits, class names in order, templates and storage.
    """
    return {
        "kind": "text",
        "encoder": dict(text.identity()),
        "logit_scale": text.logit_scale,
        "logit_bias": text.logit_bias,
        "classes": list(classes),
        "templates": list(templates),
        "dtype": dtype,
    }


def fill_text_store(
    directory: Path,
    *,
    text: TextEncoder,
    key: Mapping[str, Any],
    progress: Progress,
) -> int:
    """Encodes the (class, template) prompts unless they are stored already.

    Stores ``features`` (classes, templates, width) unnormalised, ``tokens`` (classes, templates,
    context length), and the model's logit scale and bias as attributes.

    Returns:
        The number of classes computed now.

    Raises:
        StoreWriteError: No space, no permission.
    """
    classes, templates = key["classes"], key["templates"]
    prompts = [fill(template, name) for name in classes for template in templates]
    tokens = text.tokenize(prompts)
    width, context = text.encode_text(tokens[:1]).shape[1], tokens.shape[1]
    specs = [
        ArraySpec(name="features", row_shape=(len(templates), width), dtype=key["dtype"]),
        ArraySpec(name="tokens", row_shape=(len(templates), context), dtype="int32"),
    ]
    with open_writer(
        directory,
        kind="text",
        key=key,
        rows=len(classes),
        arrays=specs,
        attributes={name: key[name] for name in ("logit_scale", "logit_bias")},
        timeout=-1,
        on_wait=waiting(progress, "class text"),
        on_unusable=anew(progress, "class text"),
    ) as writer:
        missing = writer.missing()
        for start, stop in missing:
            wanted = tokens[start * len(templates) : stop * len(templates)]
            shape = (stop - start, len(templates), -1)
            features = _encoded(text, wanted).reshape(shape)
            stored = wanted.numpy().astype(np.int32).reshape(shape)
            writer.write(start, {"features": features, "tokens": stored})
    return sum(stop - start for start, stop in missing)


def _encoded(text: TextEncoder, tokens: torch.Tensor) -> np.ndarray:
    """(prompts, width) float32, encoded in batches of a fixed size, which bounds the memory."""
    parts = [text.encode_text(part).numpy() for part in torch.split(tokens, _PROMPTS_AT_ONCE)]
    return np.concatenate(parts)
