"""Class names through a text tower: one row per class, one feature per template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from w2s_cache.data.templates import fill
from w2s_cache.encoders.protocol import TextEncoder
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.writer import open_writer


def text_key(
    text: TextEncoder, classes: Sequence[str], templates: Sequence[str], dtype: str
) -> dict[str, Any]:
    """All that changes text features: the tower, class names in order, templates, storage."""
    return {
        "kind": "text",
        "encoder": dict(text.identity()),
        "classes": list(classes),
        "templates": list(templates),
        "dtype": dtype,
    }


def fill_text_store(
    directory: Path,
    *,
    text: TextEncoder,
    key: Mapping[str, Any],
) -> None:
    """Encodes every (class, template) prompt that is not stored yet.

    Stores ``features`` (classes, templates, width) unnormalised, ``tokens`` (classes, templates,
    context length), and the model's logit scale and bias as attributes.

    Raises:
        StoreWriteError: No space, no permission.
    """
    classes, templates = key["classes"], key["templates"]
    prompts = [fill(template, name) for name in classes for template in templates]
    tokens = text.tokenize(prompts)
    features = text.encode_text(tokens).numpy()
    shape = (len(classes), len(templates))
    arrays = {
        "features": features.reshape(*shape, -1),
        "tokens": tokens.numpy().astype(np.int32).reshape(*shape, -1),
    }
    specs = [
        ArraySpec(name="features", row_shape=arrays["features"].shape[1:], dtype=key["dtype"]),
        ArraySpec(name="tokens", row_shape=arrays["tokens"].shape[1:], dtype="int32"),
    ]
    with open_writer(
        directory,
        kind="text",
        key=key,
        rows=len(classes),
        arrays=specs,
        attributes={"logit_scale": text.logit_scale, "logit_bias": text.logit_bias},
        timeout=-1,
    ) as writer:
        for start, stop in writer.missing():
            writer.write(start, {name: values[start:stop] for name, values in arrays.items()})
