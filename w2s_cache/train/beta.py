"""AdaptConf's β on the fit rows of a finished run: at its start and with its stored head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from w2s_cache.errors import TrainError
from w2s_cache.heads.protocol import StartInputs
from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.method import attach_head, build_loss, build_start
from w2s_cache.methods import find_method
from w2s_cache.results import RunRecord
from w2s_cache.spec import ProtocolSpec
from w2s_cache.train.current import features_of, refuse_outdated
from w2s_cache.train.digests import ANCHORS
from w2s_cache.train.inputs import DomainInputs
from w2s_cache.train.rows import usable_rows
from w2s_cache.train.settings import resolve
from w2s_cache.train.streams import stream
from w2s_cache.train.task import Tower


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Beta:
    """β of every fit row, without the ramp of training; (n,) each.

    Args:
        start: β of the parameters that training began with, float32 in [0, ½].
        end: β of the parameters that were kept.
        start_agrees: Whether student and weak model name the same class at the start, bool.
        end_agrees: The same with the parameters that were kept.
    """

    start: npt.NDArray[np.float32]
    end: npt.NDArray[np.float32]
    start_agrees: npt.NDArray[np.bool_]
    end_agrees: npt.NDArray[np.bool_]


def run_beta(
    record: RunRecord,
    parameters: Mapping[str, npt.NDArray[Any]],
    inputs: DomainInputs,
    tower: Tower | None = None,
) -> Beta:
    """Computes β as the run's own loss does.

    Args:
        record: A done run of a method under AdaptConf.
        parameters: Its stored head.
        inputs: The features it was made from.
        tower: Attaches the text tower, for learned prompts.

    Raises:
        TrainError: The method's loss is another one, or its head needs a tower and there is none.
        EncoderError: The tower cannot be attached.
        StaleStoreError: The features have changed since.
    """
    method = find_method(record.method)
    anchors = {ANCHORS: record.inputs[ANCHORS]} if ANCHORS in record.inputs else {}
    refuse_outdated([record], {features_of(record): {**anchors, **inputs.digests}})
    settings = {**record.config["options"], **record.chosen()}
    options, _ = resolve(record.method, method, settings, select=record.protocol["select"])
    loss, start = build_loss(method, options), build_start(method, options)
    if not isinstance(loss, AdaptConf) or start is None:
        raise TrainError(
            f"method {record.method} has no β",
            expected="a method under AdaptConf, such as lp-adapt, tp-adapt or cpl-adapt",
            found=type(loss).__name__ if loss else "no loss",
            fix="Name one of them.",
        )
    at = None if tower is None else partial(tower, inputs.text_identity)
    head = attach_head(method, options, at, inputs.index.classes)
    protocol = ProtocolSpec(**record.protocol, seeds=(record.seed,))
    rows = torch.from_numpy(usable_rows(protocol, inputs, record.seed)[0].fit)
    prepared, weak = head.prepare(inputs.features[rows]), inputs.weak_logits[rows]
    began = StartInputs(
        head=head,
        features=prepared,
        weak_logits=weak,
        text=inputs.text,
        logit_scale=inputs.logit_scale,
        generator=stream(record.seed, "start"),
    )
    kept = {name: torch.from_numpy(array.copy()) for name, array in parameters.items()}
    with torch.no_grad():
        before, before_agrees = beta_of(loss, head.logits(start(began), prepared), weak)
        after, after_agrees = beta_of(loss, head.logits(kept, prepared), weak)
    return Beta(start=before, end=after, start_agrees=before_agrees, end_agrees=after_agrees)


def beta_of(
    loss: AdaptConf, strong: Tensor, weak: Tensor
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """β of given logits.

    Args:
        loss: Holds the temperatures.
        strong: Strong logits, (n, k).
        weak: Weak logits of the same rows, (n, k).

    Returns:
        (n,) β, and (n,) whether both name the same class.
    """
    own, label = strong.argmax(dim=-1), weak.argmax(dim=-1)
    beta = loss.beta(strong / loss.tau_strong, own, label)
    return beta.float().numpy(), (own == label).numpy()


def pooled(betas: Sequence[Beta]) -> Beta:
    """The rows of several runs side by side."""
    return Beta(
        **{
            name: np.concatenate([getattr(beta, name) for beta in betas])
            for name in Beta.__dataclass_fields__
        }
    )
