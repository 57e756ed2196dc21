"""Labels in the shape of weak logits."""

import torch

from w2s_cache.supervision.ground_truth import label_logits


def test_labels_as_logits_are_one_hot_for_any_loss():
    """What the loss makes its targets of has all its probability on the label."""
    one_hot = label_logits(torch.tensor([2, 0]), 3).softmax(dim=-1)
    assert one_hot.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_one_hot_logits_stay_on_the_device_of_their_labels():
    """On a GPU the ceiling's labels and pseudo-labels are there; torch's meta device shows it."""
    assert label_logits(torch.zeros(4, dtype=torch.int64, device="meta"), 3).device.type == "meta"
