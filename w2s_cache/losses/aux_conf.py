"""AuxConf: OpenAI's confidence loss, for any number of classes.

Burns et al., "Weak-to-strong generalization" (2023), §4.3: the target mixes the weak soft label
with the student's own hardened prediction, (1 − α) · p_w + α · onehot(h). For two classes they
harden at a quantile of the batch, so that the hardened labels have the weak labels' class
proportions; nobody defines this for more, ``balanced_labels`` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.hyperparameters import require_choice, require_shares, require_temperatures
from w2s_cache.losses.cross_entropy import soft_cross_entropy
from w2s_cache.losses.protocol import Targets, linear_ramp

_STAGES = (0.3, 0.1, 0.03, 0.01)  # softness of the assignment, as a share of the scores' deviation
_ROUNDS = 20  # Sinkhorn rounds at each
_LOWEST = -200.0  # e^-200 and its square are far from float64's limits


@dataclass(frozen=True, slots=True)
class AuxConf:
    """Mean of CE(z_s, (1 − α) · p_w + α · onehot(h)), the target a constant.

    Args:
        alpha_max: α after the warm-up, in [0, 1].
        warmup: Share of training that warms up, in [0, 1].
        schedule: ``"fixed"`` rises from 0 to ``alpha_max`` over the warm-up, as published;
            ``"reference"`` is the released code, where α is alpha_max · progress up to the end of
            the warm-up, then jumps to ``alpha_max``.
        balance: ``"none"`` hardens to the argmax; ``"batch"`` to ``balanced_labels``, so that
            the batch's hardened labels keep the class proportions of its weak soft labels. A
            balance over all rows is not offered: it needs the head's logits on every row, which
            a loss never sees.
        tau_strong: Divides the strong logits before anything else, > 0, dimensionless; cosines
            need one below 1.
        tau_weak: Divides the weak logits before anything else, > 0, dimensionless.

    Raises:
        TrainError: A temperature is not positive, a share is outside [0, 1], or the schedule or
            the balance is unknown.
    """

    alpha_max: float = 0.5
    warmup: float = 0.1
    schedule: str = "fixed"
    balance: str = "batch"
    tau_strong: float = 1.0
    tau_weak: float = 1.0

    def __post_init__(self) -> None:
        """Refuses options that have no meaning."""
        require_temperatures(tau_strong=self.tau_strong, tau_weak=self.tau_weak)
        require_shares(alpha_max=self.alpha_max, warmup=self.warmup)
        require_choice("schedule", self.schedule, ("fixed", "reference"))
        require_choice("balance", self.balance, ("none", "batch"))

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``probability`` (n, k)."""
        return {"probability": functional.softmax(weak_logits / self.tau_weak, dim=-1)}

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:
        """Logits (batch, k) → scalar, nats."""
        weak, alpha = targets["probability"], self.alpha(progress)
        hard = functional.one_hot(self.harden(logits.detach(), weak), weak.shape[-1])
        mixed = torch.lerp(weak, hard.to(weak.dtype), alpha)
        return soft_cross_entropy(logits, mixed, tau=self.tau_strong)

    def alpha(self, progress: float) -> float:
        """Weight of the own prediction after a fraction of training, in [0, alpha_max]."""
        if self.schedule == "fixed":
            return self.alpha_max * linear_ramp(progress, self.warmup)
        return self.alpha_max * (1.0 if progress > self.warmup else progress)

    def harden(self, logits: Tensor, weak: Tensor) -> Tensor:
        """Logits and weak probabilities (batch, k) → the own label (batch,) int64."""
        if self.balance == "none":
            return logits.argmax(dim=-1)
        return balanced_labels(logits / self.tau_strong, weak.mean(dim=0))


def balanced_labels(logits: Tensor, share: Tensor) -> Tensor:
    """Hardens logits so that the class histogram follows given shares.

    Every row takes argmax(z + b), with one offset per class. For two classes the offset is the
    published threshold, the ``share[1]`` quantile of the odds of class 0. For more, b are the
    Sinkhorn potentials of the entropic transport of rows to classes with capacities batch · share,
    softened less and less; they are the smallest correction of the argmax, in the sense of
    transport, not a re-assignment of particular rows.

    Counts are whole, so a class is missed by about one row, at most about 1 % of the batch. In a
    batch smaller than the number of classes most capacities are below one row: the classes with
    the largest capacities and scores are filled, the rest get none, and one single row of many
    classes gets its weak argmax. (Of two classes the published rule gives a single row class 0.)
    The histogram is then no better than its rounding; raise the batch size or use
    ``balance = "none"``.

    Args:
        logits: (batch, k), divided by their temperature.
        share: (k,), non-negative, sums to 1.

    Returns:
        (batch,) int64.
    """
    if logits.shape[-1] == 2:
        odds = logits[:, 0] - logits[:, 1]
        threshold = torch.quantile(odds, share[1].to(odds.dtype).clamp(0.0, 1.0))
        return (odds < threshold).long()
    scores = (logits - logits.amax(dim=-1, keepdim=True)).double()
    return (scores + _offsets(scores, share.double())).argmax(dim=-1)


def _offsets(scores: Tensor, share: Tensor) -> Tensor:
    """Scores (batch, k) and shares (k,), float64 → offsets (k,); −inf for a share of 0."""
    capacity = share * len(scores)
    tiny = torch.finfo(scores.dtype).tiny
    unit = scores.std(correction=0).clamp_min(1e-12)
    offsets = torch.zeros_like(share)
    for stage in _STAGES:
        softness = stage * unit
        kernel = (scores + offsets) / softness
        kernel = (kernel - kernel.amax(dim=-1, keepdim=True)).clamp_min(_LOWEST).exp()
        factor = torch.ones_like(share)
        for _ in range(_ROUNDS):
            per_row = 1.0 / (kernel @ factor).clamp_min(tiny)
            factor = capacity / (per_row @ kernel).clamp_min(tiny)
        offsets = offsets + softness * factor.log()
        offsets = offsets - offsets.max()
    return offsets
