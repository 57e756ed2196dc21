"""Captions of the pocket CLIP's training pairs."""

import numpy as np
import pytest

from w2s_cache.data.pocket import CLASSES, DOMAINS
from w2s_cache.data.pocket.captions import SHARES, UNNAMED, VAGUE, WRONG, caption, theme, unnamed


def test_every_domain_has_a_share_and_the_shares_sum_to_one() -> None:
    """The training mixture is a distribution over all domains, led by photographs."""
    assert set(SHARES) == set(DOMAINS)
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert max(SHARES, key=lambda name: SHARES[name]) == "real"


@pytest.mark.parametrize("domain", DOMAINS)
def test_captions_name_the_class_as_often_as_stated(domain: str) -> None:
    """The right name occurs unless the caption is vague or (mostly) when it is wrong."""
    rng = np.random.default_rng(0)
    name = next(name for name in CLASSES if name not in unnamed(domain))
    texts = [caption(name, domain, 120.0, rng, CLASSES) for _ in range(4000)]
    named = np.mean([name.replace("_", " ") in text for text in texts])
    expected = (1 - VAGUE[domain]) * (1 - WRONG * (1 - 1 / len(CLASSES)))
    assert named == pytest.approx(expected, abs=0.03)  # 0.03 is over four standard errors
    assert all("_" not in text and "{" not in text for text in texts)
    assert max(len(text.split()) for text in texts) < 20


def test_rare_domains_have_a_long_tail_without_names() -> None:
    """Painting, sketch, infograph and quickdraw never name sixteen classes, each its own."""
    tails = {domain: unnamed(domain) for domain in DOMAINS}
    assert {domain: len(tail) for domain, tail in tails.items()} == {
        domain: 0 if domain in ("clipart", "real") else UNNAMED for domain in DOMAINS
    }
    assert len(set(tails.values())) == 5
    rng = np.random.default_rng(0)
    name = min(tails["sketch"])
    texts = [caption(name, "sketch", 120.0, rng, (name,)) for _ in range(500)]
    assert not any(name.replace("_", " ") in text for text in texts)
    assert any(theme(name) in text for text in texts)
