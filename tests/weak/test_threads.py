"""A fixed number of threads, and only for a while."""

import contextlib

import pytest
import torch

from w2s_cache.weak.threads import torch_threads


@pytest.mark.parametrize(("asked", "inside"), [(1, 1), (2, 2), (None, 3)])
def test_the_number_of_threads_is_fixed_and_given_back(asked, inside):
    """Inside it is what was asked for, else what it was; afterwards as before, whatever happens."""
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(3)
    try:
        with contextlib.suppress(KeyError), torch_threads(asked):
            seen.append(torch.get_num_threads())
            raise KeyError
        seen.append(torch.get_num_threads())
    finally:
        torch.set_num_threads(before)
    assert seen == [inside, 3]
