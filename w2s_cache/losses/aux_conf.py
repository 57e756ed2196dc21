"""AuxConf: OpenAI's confidence loss, for any number of classes.

Burns et al., "Weak-to-strong generalization" (2023), §4.3: the target mixes the weak soft label
with the student's own hardened prediction, (1 − α) · p_w + α · onehot(h). For two classes they
harden at a quantile of the batch, so that the hardened labels have the weak labels' class
proportions; nobody defines this for more, ``class_balance`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.hyperparameters import require_choice, require_shares, require_temperatures
from w2s_cache.losses.class_balance import apply_offsets, balance_offsets
from w2s_cache.losses.cross_entropy import soft_cross_entropy
from w2s_cache.losses.protocol import Targets, linear_ramp


@dataclass(frozen=True, slots=True)
class AuxConf:
    """Mean of CE(z_s, (1 − α) · p_w + α · onehot(h)), the target a constant.

    Args:
        alpha_max: α after the warm-up, in [0, 1].
        warmup: Share of training that warms up, in [0, 1].
        schedule: ``"fixed"`` rises from 0 to ``alpha_max`` over the warm-up, as published;
            ``"reference"`` is the released code, where α is alpha_max · progress up to the end of
            the warm-up, then jumps to ``alpha_max``.
        balance: ``"none"`` hardens to the argmax; ``"batch"`` so that
            the batch's hardened labels keep the class proportions of its weak soft labels;
            ``"global"`` does so over all rows, with offsets that are found anew where an epoch
            begins: the choice where a batch has fewer than a few rows a class.
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

    stackable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuses options that have no meaning."""
        require_temperatures(tau_strong=self.tau_strong, tau_weak=self.tau_weak)
        require_shares(alpha_max=self.alpha_max, warmup=self.warmup)
        require_choice("schedule", self.schedule, ("fixed", "reference"))
        require_choice("balance", self.balance, ("none", "batch", "global"))

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """(n, k) → ``probability`` (n, k)."""
        return {"probability": functional.softmax(weak_logits / self.tau_weak, dim=-1)}

    def __call__(self, logits: Tensor, targets: Targets, *, progress: float) -> Tensor:
        """Logits (batch, k) → scalar, nats."""
        weak, alpha = targets["probability"], self.alpha(progress)
        hard = functional.one_hot(self.harden(logits.detach(), targets), weak.shape[-1])
        mixed = torch.lerp(weak, hard.to(weak.dtype), alpha)
        return soft_cross_entropy(logits, mixed, tau=self.tau_strong)

    def alpha(self, progress: float) -> float:
        """Weight of the own prediction after a fraction of training, in [0, alpha_max]."""
        if self.schedule == "fixed":
            return self.alpha_max * linear_ramp(progress, self.warmup)
        return self.alpha_max * (1.0 if progress > self.warmup else progress)

    def harden(self, logits: Tensor, targets: Targets) -> Tensor:
        """Logits (…, batch, k), not divided by their temperature → the own label (…, batch)."""
        if self.balance == "none":
            return logits.argmax(dim=-1)
        found = self.survey(logits, targets) if self.balance == "batch" else targets
        return apply_offsets(logits / self.tau_strong, found["offsets"])

    @property
    def surveys(self) -> bool:
        """Only the global balance looks at all rows."""
        return self.balance == "global"

    def survey(self, logits: Tensor, targets: Targets) -> dict[str, Tensor]:
        """Logits (…, n, k) and targets of the rows to balance → ``offsets`` (…, k)."""
        scaled, share = logits / self.tau_strong, targets["probability"].mean(dim=-2)
        return {"offsets": balance_offsets(scaled, share)}
