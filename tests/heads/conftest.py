"""Small clouds of features with weak logits and class text, drawn with a seed."""

import pytest
import torch
from torch.nn import functional

from w2s_cache.heads.linear import LinearHead
from w2s_cache.heads.protocol import StartInputs


def draw(rows=60, width=6, classes=4, *, seed=0, dtype=torch.float32, logit_scale=20.0):
    """Unit features around class centres; weak logits and text know the centres roughly."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=generator)
    labels = torch.randint(classes, (rows,), generator=generator)
    noise = torch.randn(rows, width, generator=generator)
    weak = torch.randn(rows, classes, generator=generator)
    text = centres + torch.randn(classes, width, generator=generator)
    return StartInputs(
        head=LinearHead(normalize=True),
        features=functional.normalize((centres[labels] + noise).to(dtype), dim=-1),
        weak_logits=(weak + 2 * functional.one_hot(labels, classes)).to(dtype),
        text=functional.normalize(text.to(dtype), dim=-1),
        logit_scale=logit_scale,
        generator=generator,
    )


@pytest.fixture
def cloud():
    """Draws start inputs: ``cloud(rows=60, width=6, classes=4, seed=0)``."""
    return draw


@pytest.fixture(scope="session")
def cloud_of():
    """The same, for property tests, whose fixtures must outlive one example."""
    return draw
