"""Laws of the weights digest: the numbers decide, nothing else."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.encoders.weights import weights_digest

NUMBERS = st.lists(
    st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=6
)


@given(NUMBERS)
def test_the_order_and_the_memory_layout_do_not_count(numbers: list[float]) -> None:
    """Equal numbers under equal names have one digest, however they lie in memory."""
    grid = torch.tensor([numbers, numbers])
    scalar = torch.tensor(numbers[0])
    strided = grid.t().contiguous().t()
    one = weights_digest({"a": grid, "b": scalar})
    assert one == weights_digest({"b": scalar.clone(), "a": strided})


@given(NUMBERS, st.data())
def test_one_changed_number_changes_the_digest(numbers: list[float], data: st.DataObject) -> None:
    """The smallest step of one number gives another digest."""
    before = torch.tensor(numbers)
    where = data.draw(st.integers(0, len(numbers) - 1))
    after = before.clone()
    after[where] = torch.nextafter(before[where], torch.tensor(-torch.inf))
    assert weights_digest({"w": before}) != weights_digest({"w": after})


@pytest.mark.parametrize(
    "other",
    [
        {"v": torch.zeros(4)},
        {"w": torch.zeros(2, 2)},
        {"w": torch.zeros(4, dtype=torch.int32)},
        {"w": torch.zeros(4), "x": torch.zeros(0)},
        {},
    ],
)
def test_names_shapes_and_dtypes_count(other: dict[str, torch.Tensor]) -> None:
    """The same bytes under another name, shape or dtype are other weights."""
    assert weights_digest({"w": torch.zeros(4)}) != weights_digest(other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int64, torch.bool])
def test_every_dtype_has_a_digest(dtype: torch.dtype) -> None:
    """Buffers that are no float32 are hashed by their bytes too."""
    one, other = torch.tensor([1, 0]).to(dtype), torch.tensor([1, 1]).to(dtype)
    assert weights_digest({"w": one}) != weights_digest({"w": other})
