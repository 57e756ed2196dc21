"""Pseudo-labels: the most confident rows of a class (Menghini et al., Enhancing CLIP with CLIP).

Three readings of "the top K of a class", all from log-probabilities (n, classes) in file order:

===========  ==================================================================================
per-class    the K rows that a class is most probable for; a row may serve several classes
argmax       the same, among the rows whose most probable class it is: there may be fewer than K
leaderboard  what the authors' code does row by row: a row without a place on the board of its
             most probable class takes any place on the boards of others, who is pushed off a
             board is offered to no other, and a board is in order once it has overflowed
===========  ==================================================================================

Among equal probabilities the earlier row comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from w2s_cache.hyperparameters import require_choice


class PseudoLabels(NamedTuple):
    """Rows (p,) and the class that each is taken for (p,), both int64; a row may come twice."""

    rows: Tensor
    classes: Tensor


def pseudo_labels(scores: Tensor, count: int, *, choice: str) -> PseudoLabels:
    """The pseudo-labels of some rows, class by class, the most confident first.

    Args:
        scores: (n, classes), log-probabilities, or anything that orders rows within a class.
        count: K, at least 1; more than there are rows means all of them.
        choice: ``"per-class"``, ``"argmax"`` or ``"leaderboard"``.

    Raises:
        TrainError: An unknown choice.
    """
    require_choice("choice", choice, tuple(CHOICES))
    boards = CHOICES[choice](scores, count)
    labels = [board.new_full((len(board),), label) for label, board in enumerate(boards)]
    return PseudoLabels(torch.cat(boards), torch.cat(labels))


def _per_class(scores: Tensor, count: int) -> list[Tensor]:
    best = scores.sort(dim=0, descending=True, stable=True).indices[:count]
    return list(best.t())


def _argmax(scores: Tensor, count: int) -> list[Tensor]:
    named = scores.argmax(dim=-1)
    elsewhere = torch.ones_like(scores, dtype=torch.bool).scatter_(1, named.unsqueeze(1), False)
    own = named.bincount(minlength=scores.shape[1]).tolist()
    boards = _per_class(scores.masked_fill(elsewhere, -torch.inf), count)
    return [board[:kept] for board, kept in zip(boards, own, strict=True)]


def _leaderboards(scores: Tensor, count: int) -> list[Tensor]:
    table = scores.cpu()
    boards: list[list[tuple[float, int]]] = [[] for _ in range(table.shape[1])]
    sizes = torch.zeros(len(boards), dtype=torch.int64)
    lasts = torch.full((len(boards),), -torch.inf, dtype=table.dtype)  # score at a board's end
    for row, (values, label) in enumerate(zip(table, table.argmax(dim=-1).tolist(), strict=True)):
        open_to = (sizes < count) | (lasts < values)
        for place in [label] if open_to[label] else open_to.nonzero().flatten().tolist():
            board = boards[place]
            board.append((float(values[place]), row))
            if len(board) > count:
                board.sort(key=lambda entry: (-entry[0], entry[1]))
                board.pop()
            sizes[place], lasts[place] = len(board), board[-1][0]
    ordered = [sorted(board, key=lambda entry: (-entry[0], entry[1])) for board in boards]
    return [
        torch.tensor([row for _, row in board], dtype=torch.int64, device=scores.device)
        for board in ordered
    ]


CHOICES: dict[str, Callable[[Tensor, int], list[Tensor]]] = {
    "per-class": _per_class,
    "argmax": _argmax,
    "leaderboard": _leaderboards,
}
