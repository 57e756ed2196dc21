"""Refuses numbers that are not finite: those that training reads, and those it ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from w2s_cache.errors import TrainError
from w2s_cache.train.inputs import DomainInputs


def refuse_broken_inputs(inputs: DomainInputs) -> None:
    """Refuses NaN and infinity in features and weak logits; rows that are not valid may hold any.

    Raises:
        TrainError: There are some.
    """
    valid = torch.from_numpy(inputs.valid)
    for name, values in (("weak logits", inputs.weak_logits), ("features", inputs.features)):
        if not values.isfinite().all(dim=1)[valid].all():
            raise TrainError(
                f"the {name} of {inputs.index.domain} cannot be trained on",
                expected="finite numbers",
                found="NaN or infinity",
                fix="Extract or import them anew.",
            )


def refuse_broken_answer(
    answer: Mapping[str, Tensor], who: str, settings: Mapping[str, Any]
) -> None:
    """Refuses NaN and infinity in trained parameters and confidences.

    Args:
        answer: What is to be kept, by name.
        who: Method and domain, for the message.
        settings: What it was trained with, for the message.

    Raises:
        TrainError: There are some.
    """
    broken = [name for name, values in answer.items() if not values.isfinite().all()]
    if broken:
        shown = ", ".join(f"{name} = {value}" for name, value in settings.items())
        raise TrainError(
            f"{who} has no answer",
            expected="finite numbers",
            found=f"NaN or infinity in {', '.join(broken)} with {shown or 'no settings'}",
            fix="Choose settings of a usual size, e.g. a temperature from 0.001 to 10.",
        )
