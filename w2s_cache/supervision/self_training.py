"""FPL, IFPL and GRIP: how often pseudo-labels are chosen anew, and how many (Menghini et al.).

=====  ======  ==============================================================================
FPL    1       K labels per class, from zero-shot CLIP
IFPL   10      K labels per class; from the second round on the trained head chooses them
GRIP   10      the same, but the t-th round has t/10 of all rows, so that the last has them all
=====  ======  ==============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from w2s_cache.hyperparameters import require_choice, require_rounds
from w2s_cache.supervision.pseudo_labels import CHOICES

Restart = Literal["anew", "continued"]
First = Literal["zero-shot", "weak"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfTraining:
    """Rounds of pseudo-labels whose first comes from class text.

    Attributes:
        rounds: How often pseudo-labels are chosen and a head is trained on them.
        k: Pseudo-labels per class (the authors: 16); 0 for as many as the round's share of all
            rows gives.
        choice: What the most confident rows of a class are, see
            :mod:`~w2s_cache.supervision.pseudo_labels`.
        restart: Whether every round begins ``"anew"`` from the method's start (the paper), or goes
            on from the head of the round before, ``"continued"`` (the authors' code for text
            prompts, whose parameters overwrite their own start).
    """

    rounds: int = 1
    k: int = 16
    choice: str = "per-class"
    restart: Restart = "anew"

    first: ClassVar[First] = "zero-shot"

    def __post_init__(self) -> None:
        """Refuses numbers and words that have no meaning."""
        require_rounds(least=1, rounds=self.rounds)
        require_rounds(least=0, k=self.k)
        require_choice("choice", self.choice, tuple(CHOICES))
        require_choice("restart", self.restart, get_args(Restart))

    def counts(self, rows: int, classes: int) -> list[int]:
        """Pseudo-labels per class in every round: k, or t · ⌊rows / rounds⌋ / classes, at least 1.

        The authors' code ends with an error where a round's share is less than a row per class.
        """
        share = rows // self.rounds
        grown = [max(1, (t + 1) * share // classes) for t in range(self.rounds)]
        return [self.k or count for count in grown]


@dataclass(frozen=True, kw_only=True, slots=True)
class WeakSelfTraining(SelfTraining):
    """Rounds of pseudo-labels whose first comes from the weak model."""

    first: ClassVar[First] = "weak"
