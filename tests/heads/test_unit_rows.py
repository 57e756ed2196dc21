"""Rows of unit length."""

from __future__ import annotations

import torch
from torch.nn import functional

from w2s_cache.heads.unit_rows import unit_rows


def _rows() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(7, 5, dtype=torch.float64, generator=generator)


def test_numbers_are_those_of_normalize() -> None:
    """Values equal torch's normalize, and a zero row stays zero."""
    rows = torch.cat([_rows(), torch.zeros(1, 5, dtype=torch.float64)])
    torch.testing.assert_close(unit_rows(rows), functional.normalize(rows, dim=-1))


def test_gradient_is_that_of_the_formula() -> None:
    """The hand-written backward pass agrees with finite differences."""
    assert torch.autograd.gradcheck(unit_rows, _rows().requires_grad_())


def test_gradient_is_orthogonal_to_the_row() -> None:
    """Length does not matter to a direction: the gradient has no part along the row."""
    rows = _rows().requires_grad_()
    target = torch.randn(7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((unit_rows(rows) * target).sum(), [rows])
    torch.testing.assert_close(
        torch.linalg.vecdot(gradient, rows), torch.zeros(7, dtype=torch.float64)
    )
