"""kNN with weak labels: the fit rows nearest to an image vote with their weak posteriors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.heads.protocol import Parameters, StartInputs
from w2s_cache.hyperparameters import require_neighbours, require_temperatures
from w2s_cache.neighbours.choice import make_index
from w2s_cache.neighbours.search import nearest, unit
from w2s_cache.neighbours.vote import vote


@dataclass(frozen=True, slots=True)
class NearestNeighbours:
    """z_c = log Σ_j w_j p_w,c(j) / Σ_j w_j over the m nearest fit rows, w_j = exp(cos / tau_vote).

    Args:
        neighbours: m ≥ 1; as many as there are fit rows when there are fewer.
        tau_vote: Temperature of the weights, > 0, dimensionless; large: all count alike.

    Raises:
        TrainError: A value that has no meaning.
    """

    neighbours: int = 20
    tau_vote: float = 0.07

    def __post_init__(self) -> None:
        """Refuses values that have no meaning."""
        require_temperatures(tau_vote=self.tau_vote)
        require_neighbours(self.neighbours)

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) → unit-norm features (n, d)."""
        return functional.normalize(features, dim=-1)

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """(batch, d) → log votes (batch, k), whose softmax are the votes."""
        base = unit(parameters["features"])
        found = nearest(make_index(base, kind="exact"), base, unit(prepared), self.neighbours)
        voted = vote(found, parameters["posteriors"], tau=self.tau_vote)
        return voted.clamp_min(torch.finfo(voted.dtype).tiny).log()

    def kept(self, parameters: Parameters) -> dict[str, Tensor]:  # noqa: ARG002 - of the protocol
        """Nothing: the parameters are the cache itself, once more for every run."""
        return {}


@dataclass(frozen=True, slots=True)
class WeakNeighbours:
    """What kNN remembers: every fit row with its weak posterior p_w = softmax(z_w / tau_weak).

    Args:
        tau_weak: Temperature, > 0, dimensionless; towards 0 the weak labels themselves vote.

    Raises:
        TrainError: The temperature is not positive.
    """

    tau_weak: float = 1.0

    needs_text: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuses a temperature that has no meaning."""
        require_temperatures(tau_weak=self.tau_weak)

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``features`` (n, d), unit rows, and ``posteriors`` (n, k)."""
        return {
            "features": inputs.features.clone(),
            "posteriors": functional.softmax(inputs.weak_logits / self.tau_weak, dim=-1),
        }
