"""Which rows a run uses."""

from __future__ import annotations

import numpy as np
import pytest

from w2s_cache.errors import TrainError
from w2s_cache.train.rows import usable_rows


def test_a_run_seed_draws_its_own_split(toy):
    """With `split_seed = "run"` another seed gives other rows; with a number, the same."""
    inputs, protocol = toy.inputs(), toy.spec.protocol
    first, other = (usable_rows(protocol, inputs, seed)[0].test for seed in (0, 1))
    assert not np.array_equal(first, other)
    fixed = protocol.model_copy(update={"split_seed": 0})
    assert np.array_equal(first, usable_rows(fixed, inputs, 1)[0].test)


def test_too_few_usable_rows_are_refused(toy, make_toy):
    """When every val image is broken, the run says so instead of selecting on nothing."""
    split = usable_rows(toy.spec.protocol, toy.inputs(), 0)[0]
    broken = make_toy("broken", invalid=tuple(split.val.tolist()))
    with pytest.raises(TrainError, match=r"too few images of art.*val 0.*skipped 16"):
        usable_rows(broken.spec.protocol, broken.inputs(), 0)
