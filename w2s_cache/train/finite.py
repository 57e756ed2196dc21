"""Finds numbers that are not finite: those that training reads, and those it ends with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from w2s_cache.errors import TrainError
from w2s_cache.train.inputs import DomainInputs
from w2s_cache.train.source import blocks


def refuse_broken_inputs(inputs: DomainInputs) -> None:
    """Refuses NaN and infinity in features and weak logits; rows that are not valid may hold any.

    Raises:
        TrainError: There are some.
    """
    valid = torch.from_numpy(np.flatnonzero(inputs.valid))
    for name, values in (("weak logits", inputs.weak_logits), ("features", inputs.features)):
        if not all(part.isfinite().all() for part in blocks(values, valid)):
            raise TrainError(
                f"the {name} of {inputs.index.domain} cannot be trained on",
                expected="finite numbers",
                found="NaN or infinity",
                fix="Extract or import them anew.",
            )


def broken(answer: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors, trained parameters and confidences, that hold NaN or infinity."""
    return [name for name, values in answer.items() if not values.isfinite().all()]
