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
from w2s_cache.store.domain_command import naming_domain
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.index import read_index
from w2s_cache.store.index_agreement import open_member_of
from w2s_cache.store.layout import VALID_DATASET, index_path
from w2s_cache.store.reader import converted
from w2s_cache.store.shard_walk import shard_arrays
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

    Beside it the rows of the images that were skipped. One shard is in memory at a time.
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
    sums = torch.zeros(len(classes), store.manifest.width("features"), dtype=torch.float64)
    skipped: list[int] = []
    with naming_domain(store.manifest):
        for shard, arrays in shard_arrays(store.directory, store.manifest):
            valid, here = arrays[VALID_DATASET], slice(shard.start, shard.stop)
            skipped += (np.flatnonzero(~valid) + shard.start).tolist()
            taken = index.is_train[here] & valid
            features = torch.from_numpy(converted(arrays["features"][taken]))
            unit = functional.normalize(features, dim=-1).double()
            # row after row, so that neither shards nor threads change a bit of the sum
            sums.index_add_(0, torch.from_numpy(index.labels[here][taken]), unit)
    return functional.normalize(sums, dim=-1).float(), skipped
