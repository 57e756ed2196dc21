"""A data set of a single class: nothing to tell apart, and nothing to trip over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from w2s_cache.methods import METHODS
from w2s_cache.results import check_run
from w2s_cache.store.index import Index
from w2s_cache.train.run import RunRequest, run


def of_one_class(inputs):
    """The same images, all of them cats, and a weak model that knows cats alone."""
    names = [n for n in Index.__dataclass_fields__ if n not in {"digest", "images_digest"}]
    kept = {name: getattr(inputs.index, name) for name in names}
    index = Index(**{**kept, "classes": ("cat",), "labels": np.zeros_like(inputs.index.labels)})
    digests = {**inputs.digests, "index_digest": index.digest}
    changed = {"weak_logits": inputs.weak_logits[:, :1], "text": inputs.text[:1]}
    return replace(inputs, index=index, digests=digests, **changed)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_knows_the_only_class(toy, text_tower, method):
    """Accuracy and agreement are 1.0, the record is lawful."""
    request = RunRequest(
        spec=toy.spec,
        features=toy.features(),
        method=method,
        seeds=(0, 1),
        options={"recipe.epochs": 1} if METHODS[method].loss else {},
        device="cpu",
        tower=lambda _: text_tower,
    )
    for outcome in run(request, of_one_class(toy.inputs()), toy.results):
        assert outcome.record.metrics["accuracy"] == outcome.record.metrics["agreement"] == 1.0
        assert check_run(outcome.directory) == []
