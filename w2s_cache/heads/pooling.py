"""Pooled posteriors: what the weak model and the class text say together about every image.

Given the class, the two are taken as independent experts, so that their opinions multiply
(logarithmic opinion pool; Hinton 2002 calls it a product of experts):

    q(y|x) ∝ p_w(y|x) · p_t(y|x),   p_w = softmax(z_w / tau_weak),   p_t = softmax(s · cos(T_y, f))

The scale s of the text's cosines is calibrated without ground truth. If x's class is drawn from
p_w and p_t is right about x with scale s, the likelihood of both agreeing is

    ℓ(s) = Σ_x log Σ_y p_w(y|x) p_t(y|x; s),

which is highest where the text is exactly as sure as the weak model's answers bear out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.protocol import StartInputs, require_text
from w2s_cache.heads.soft_means import mean_directions
from w2s_cache.hyperparameters import require_choice, require_exponents, require_temperatures

SCALES: tuple[float, ...] = tuple(float(1 << power) for power in range(11))
"""Scales of cosines that are tried: 1 to 1024 in doublings."""

_BLOCK = 512  # rows at a time: what is pooled stays in the processor's cache
_ROWS = 256  # one number is fitted, so that many rows are plenty


@dataclass(frozen=True, slots=True)
class OpinionPool:
    """How weak model and text are pooled.

    Args:
        tau_weak: p_w = softmax(z_w / tau_weak), > 0, dimensionless.
        calibration: ``"agreement"`` fits the text's scale s, ``"own"`` takes the encoder's.
        weak_share: Exponent of p_w; 0 leaves the weak model out once s is fitted.
        text_share: Exponent of p_t; 0 leaves the text out.

    Raises:
        TrainError: A value that has no meaning.
    """

    tau_weak: float = 1.0
    calibration: str = "agreement"
    weak_share: float = 1.0
    text_share: float = 1.0

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        require_temperatures(tau_weak=self.tau_weak)
        require_choice("calibration", self.calibration, ("agreement", "own"))
        require_exponents(weak_share=self.weak_share, text_share=self.text_share)

    def __call__(self, inputs: StartInputs) -> Tensor:
        """Posteriors q (n, k) of the fit rows, each row summing to 1.

        Raises:
            TrainError: No text features, or ``"own"`` without a scale of the encoder's own.
        """
        text, features, logits = require_text(inputs), inputs.features, inputs.weak_logits
        scale = self._scale(inputs, text)
        share = min(self.weak_share / self.tau_weak, torch.finfo(logits.dtype).max)
        pooled = torch.empty_like(logits)
        for first in range(0, len(features), _BLOCK):
            rows = slice(first, first + _BLOCK)
            block = _cosines(features[rows], text, out=pooled[rows])
            block.mul_(scale * self.text_share)
            block.add_(logits[rows], alpha=share)
            torch.softmax(block, dim=-1, out=block)
        return pooled

    def _scale(self, inputs: StartInputs, text: Tensor) -> float:
        """s, from at most 256 evenly spaced rows where it is fitted."""
        if self.calibration == "own":
            return _own_scale(inputs)
        some = slice(None, None, -(-len(inputs.features) // _ROWS))
        weak = functional.softmax(inputs.weak_logits[some] / self.tau_weak, dim=-1)
        cosines = _cosines(inputs.features[some], text, out=torch.empty_like(weak))
        return peak(agreement(cosines, weak).tolist())


def agreement(cosines: Tensor, weak: Tensor) -> Tensor:
    """ℓ / n of each of :data:`SCALES`, in nats.

    Twice the scale is a squared softmax, normalised again, so exponentials are taken only once.

    Args:
        cosines: (n, k), of unit features and class text.
        weak: (n, k), the weak model's probabilities.
    """
    powers = (cosines - cosines.amax(dim=-1, keepdim=True)).exp_()
    both = cosines.new_empty(len(SCALES), len(cosines))
    for number in range(len(SCALES)):
        torch.div(torch.linalg.vecdot(powers, weak), powers.sum(dim=-1), out=both[number])
        powers.square_()
    return both.clamp_min_(torch.finfo(both.dtype).tiny).log_().mean(dim=-1)


def peak(likelihoods: Sequence[float]) -> float:
    """The scale where the parabola through the highest value and its neighbours is highest.

    Scales are taken by their logarithm. Where the highest value stands at an end, or is not above
    one of its neighbours, its own scale is the answer; of equal values the first counts.
    """
    best = max(range(len(likelihoods)), key=likelihoods.__getitem__)
    if not 0 < best < len(likelihoods) - 1:
        return SCALES[best]
    left, middle, right = likelihoods[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return SCALES[best] if bend == 0 else SCALES[best] * 2 ** ((left - right) / (2 * bend))


@dataclass(frozen=True, slots=True)
class PooledMeans:
    """Class means under pooled posteriors, C_k ∝ Σ_x q(k|x) f(x); fields as in OpinionPool."""

    tau_weak: float = 1.0
    calibration: str = "agreement"
    weak_share: float = 1.0
    text_share: float = 1.0

    needs_text: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        self._pool()

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``prototypes`` (k, d), unit rows."""
        return {"prototypes": mean_directions(self._pool()(inputs), inputs.features)}

    def _pool(self) -> OpinionPool:
        return OpinionPool(self.tau_weak, self.calibration, self.weak_share, self.text_share)


def _cosines(features: Tensor, text: Tensor, *, out: Tensor) -> Tensor:
    """Of features (n, d) of any length and unit text (k, d), into ``out`` (n, k)."""
    lengths = torch.linalg.vector_norm(features, dim=-1, keepdim=True)
    torch.mm(features, text.T, out=out)
    return out.div_(lengths.clamp_min(torch.finfo(lengths.dtype).tiny))


def _own_scale(inputs: StartInputs) -> float:
    if inputs.logit_scale is None:
        raise TrainError(
            "the text's scale cannot be the encoder's own",
            expected="an encoder that was trained with a logit scale",
            found="none",
            fix="Set calibration to 'agreement'.",
        )
    return inputs.logit_scale
