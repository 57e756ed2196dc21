"""Captions of the pocket CLIP's training pairs."""

import numpy as np
import pytest

from w2s_cache.data.pocket import CLASSES, DOMAINS
from w2s_cache.data.pocket.captions import SHARES, VAGUE, WRONG, caption


def test_every_domain_has_a_share_and_the_shares_sum_to_one() -> None:
    """The training mixture is a distribution over all domains, led by photographs."""
    assert set(SHARES) == set(DOMAINS)
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert max(SHARES, key=lambda name: SHARES[name]) == "real"


@pytest.mark.parametrize("domain", DOMAINS)
def test_captions_name_the_class_as_often_as_stated(domain: str) -> None:
    """The right name occurs unless the caption is vague or (mostly) when it is wrong."""
    rng = np.random.default_rng(0)
    texts = [caption("light_bulb", domain, 120.0, rng, CLASSES) for _ in range(4000)]
    named = np.mean(["light bulb" in text for text in texts])
    expected = (1 - VAGUE[domain]) * (1 - WRONG * (1 - 1 / len(CLASSES)))
    assert named == pytest.approx(expected, abs=0.03)  # 0.03 is over four standard errors
    assert all("_" not in text and "{" not in text for text in texts)
    assert max(len(text.split()) for text in texts) < 20
