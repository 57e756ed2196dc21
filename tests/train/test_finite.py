"""Numbers of a store that are not finite, which only a writer that keeps no law can have made."""

from __future__ import annotations

import numpy as np
import pytest

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store import writer

NAMES = [("weak", "weak logits"), ("features", "features")]


@pytest.fixture
def lawless(make_toy, monkeypatch):
    """A function: a domain of which one array holds a value in its test rows; row 60 is skipped."""

    def make(array, value):
        toy = make_toy()
        values = toy.arrays[array].copy()
        values[50:, 1] = value
        monkeypatch.setattr(writer, "stored_form", lambda spec, rows, **_: rows.astype(spec.dtype))
        arrays = {**toy.arrays, array: values}
        return make_toy("lawless", arrays=arrays, invalid=(60,))

    return make


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(("array", "named"), NAMES)
def test_what_is_not_finite_is_refused_when_it_is_loaded(lawless, array, named, value):
    """Whatever the method that would read it; nothing is trained."""
    with pytest.raises(CorruptStoreError, match=f"the {named} of art cannot be used"):
        lawless(array, value).inputs()


@pytest.mark.parametrize("method", ["weak", "lp-kd", "soft-class-means"])
def test_what_is_not_finite_is_refused_when_it_is_read_from_disk(lawless, method):
    """The pass that trains is the pass that looks; no record is written."""
    toy = lawless("weak", np.nan)
    with pytest.raises(CorruptStoreError, match="the weak logits of art cannot be used"):
        toy.run(method, inputs=toy.inputs(memory=0))
    assert not toy.results.exists()


@pytest.mark.parametrize("memory", [None, 0])
def test_rows_that_were_skipped_may_hold_anything(make_toy, memory):
    """They are NaN in every store, and no reason to refuse the others."""
    inputs = make_toy(invalid=(3, 60)).inputs(memory=memory)
    found = inputs.features[np.array([3, 4])]
    assert found.isnan().all(dim=1).tolist() == [True, False]
