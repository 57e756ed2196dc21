"""From trained parameters to predictions with their confidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.heads.protocol import Head, Parameters
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.train.source import Rows, blocks

Predictions = tuple[np.ndarray, np.ndarray]
"""Class (m,) int64 and its probability (m,) float32 of every row."""


@torch.no_grad()
def predict(
    head: Head, parameters: Parameters, prepared: Rows, rows: Tensor, *, tau: float
) -> Predictions:
    """Prepared features of some rows (m,) → predictions, probabilities at a temperature."""
    parts = [probable(head.logits(parameters, part) / tau) for part in blocks(prepared, rows)]
    predicted, confidence = zip(*parts, strict=True)
    return np.concatenate(predicted), np.concatenate(confidence)


@torch.no_grad()
def named(head: Head, parameters: Parameters, prepared: Rows, rows: Tensor) -> Tensor:
    """Prepared features of some rows (…, m) → the class of each, (…, m) int64."""
    parts = [head.logits(parameters, part).argmax(dim=-1) for part in blocks(prepared, rows)]
    return torch.cat(parts, dim=-1)


def probable(logits: Tensor) -> Predictions:
    """Logits (m, k) → the most probable class of every row."""
    confidence, predicted = functional.softmax(logits, dim=-1).max(dim=-1)
    return predicted.cpu().numpy(), confidence.cpu().numpy()


def temperature(head: Head, options: Mapping[str, Any], logit_scale: float | None) -> float:
    """What turns a head's logits into its own probabilities."""
    if "tau_strong" in options:
        return float(options["tau_strong"])
    if isinstance(head, PrototypeHead) and logit_scale:
        return 1.0 / logit_scale
    return 1.0
