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

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.protocol import StartInputs
from w2s_cache.heads.prototypes import require_text
from w2s_cache.hyperparameters import require_choice, require_exponents, require_temperatures

SCALES = tuple(2.0 ** (half / 2) for half in range(19))
"""Scales of cosines that are tried: 1 to 512 in steps of √2."""

_ROWS = 1024  # one number is fitted, so that many rows are plenty


@dataclass(frozen=True, slots=True)
class Pool:
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
        cosines = inputs.features @ functional.normalize(require_text(inputs), dim=-1).T
        weak = inputs.weak_logits / self.tau_weak
        if self.calibration == "own":
            scale = _own_scale(inputs)
        else:
            scale = agreement_scale(cosines, functional.softmax(weak, dim=-1))
        pooled = torch.add(weak * self.weak_share, cosines, alpha=scale * self.text_share)
        return functional.softmax(pooled, dim=-1)


def agreement_scale(cosines: Tensor, weak: Tensor) -> float:
    """The scale of :data:`SCALES` with the highest likelihood of agreement, the first if equal.

    At most 1,024 rows, evenly spaced, are looked at.

    Args:
        cosines: (n, k), of unit features and class text.
        weak: (n, k), the weak model's probabilities.
    """
    step = -(-len(cosines) // _ROWS)
    cosines, weak = cosines[::step], weak[::step]
    return max(SCALES, key=lambda scale: agreement_likelihood(cosines * scale, weak))


def agreement_likelihood(text_logits: Tensor, weak: Tensor) -> float:
    """ℓ per row, in nats: mean over x of log Σ_y p_w(y|x) p_t(y|x)."""
    both = functional.softmax(text_logits, dim=-1).mul_(weak).sum(dim=-1)
    return float(both.clamp_min(torch.finfo(both.dtype).tiny).log_().mean())


@dataclass(frozen=True, slots=True)
class PooledMeans:
    """Class means under pooled posteriors, C_k ∝ Σ_x q(k|x) f(x); the fields are those of Pool."""

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
        return {"prototypes": functional.normalize(self._pool()(inputs).T @ inputs.features)}

    def _pool(self) -> Pool:
        return Pool(self.tau_weak, self.calibration, self.weak_share, self.text_share)


def _own_scale(inputs: StartInputs) -> float:
    if inputs.logit_scale is None:
        raise TrainError(
            "the text's scale cannot be the encoder's own",
            expected="an encoder that was trained with a logit scale",
            found="none",
            fix="Set calibration to 'agreement'.",
        )
    return inputs.logit_scale
