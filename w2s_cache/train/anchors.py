"""Anchors: other domains' labelled images stand in for class text where an encoder has none.

For every class the mean direction of the D_train features of each other domain, then the mean of
these over domains, each of unit length. Nothing of the domain itself is read; the labels are those
that the other domains' weak models were fine-tuned on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.counted import counted
from w2s_cache.errors import TrainError
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.index import read_index
from w2s_cache.store.index_agreement import open_member_of
from w2s_cache.store.layout import index_path
from w2s_cache.train.digests import anchors_digest
from w2s_cache.train.inputs import DomainInputs


def with_anchors(home: Path, inputs: DomainInputs, others: Sequence[FeatureSet]) -> DomainInputs:
    """The same inputs with anchors as ``text``; their digest tells which domains gave them.

    Args:
        home: Cache home.
        inputs: The domain, of an encoder without text tower.
        others: Feature sets of the other domains.

    Raises:
        TrainError: The encoder has a text tower, there is no other domain, or its classes differ.
        StoreError: Features of another domain are absent or incomplete.
        CorruptStoreError: Bytes on disk are not those that were written.
    """
    if inputs.text is not None:
        raise TrainError(
            "anchors of an encoder that has a text tower",
            expected="an image-only encoder",
            found=f"text features of {counted(len(inputs.text), 'class')}",
            fix="Remove `anchors` from its section of the spec.",
        )
    if not others:
        raise TrainError(
            f"anchors for {inputs.index.domain} come from other domains",
            expected="features of at least one other domain",
            found="none",
            fix="Extract another domain, or remove `anchors` from the spec.",
        )
    made = [_class_directions(home, found, inputs.index.classes) for found in others]
    means = [directions for directions, _ in made]
    lacking = [skipped for _, skipped in made]
    return replace(
        inputs,
        text=functional.normalize(torch.stack(means).sum(dim=0), dim=-1),
        digests={**inputs.digests, **anchors_digest(zip(others, lacking, strict=True))},
    )


def _class_directions(
    home: Path, found: FeatureSet, classes: Sequence[str]
) -> tuple[Tensor, list[int]]:
    """(k, d): unit mean of the unit D_train features of each class, zero where it has no image.

    Beside it the rows of the images that were skipped.
    """
    index = read_index(index_path(home, found.dataset, found.domain))
    if tuple(index.classes) != tuple(classes):
        raise TrainError(
            f"anchors from {found.domain}",
            expected=f"the classes {', '.join(classes)}",
            found=", ".join(index.classes),
            fix="Remove `anchors` from the spec, or that domain from the cache.",
        )
    store = open_member_of(index, home, found.image)
    valid = store.valid()
    rows = np.flatnonzero(index.is_train & valid)
    features = functional.normalize(torch.from_numpy(store.read("features"))[rows], dim=-1)
    labels = torch.from_numpy(index.labels[rows])
    member = functional.one_hot(labels, len(classes)).to(features)
    return functional.normalize(member.T @ features, dim=-1), np.flatnonzero(~valid).tolist()
