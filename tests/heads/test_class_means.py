"""Centred class means."""

import torch

from w2s_cache.heads.class_means import CentredClassMeans


def test_the_head_scores_centred_features_by_literal_centred_means(cloud):
    """(f − m)·C_k with C_k ∝ Σ_x p_k(x) (f(x) − m), written as loops in float64."""
    given = cloud(dtype=torch.float64)
    probabilities = torch.softmax(given.weak_logits / 0.5, dim=-1)
    centre = sum(given.features) / len(given.features)
    head = CentredClassMeans(tau_weak=0.5)(given)
    for k in range(4):
        total = sum(p[k] * (f - centre) for p, f in zip(probabilities, given.features, strict=True))
        for f in given.features[:5]:
            expected = (f - centre) @ total / total.norm()
            torch.testing.assert_close(f @ head["weight"][k] + head["bias"][k], expected)


def test_a_constant_added_to_all_features_changes_no_difference_of_scores(cloud):
    """The offset is what all images share, so it must not matter."""
    given = cloud(dtype=torch.float64)
    moved = type(given)(
        **{
            **{name: getattr(given, name) for name in type(given).__slots__},
            "features": given.features + 3.0,
        }
    )
    plain, shifted = CentredClassMeans()(given), CentredClassMeans()(moved)
    scores = given.features @ plain["weight"].T + plain["bias"]
    after = moved.features @ shifted["weight"].T + shifted["bias"]
    torch.testing.assert_close(after, scores)
