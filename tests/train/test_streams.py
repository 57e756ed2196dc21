"""Independent random streams of one seed."""

from __future__ import annotations

import torch

from w2s_cache.train.streams import stream


def draw(seed: int, purpose: str) -> torch.Tensor:
    """Sixteen numbers of a stream."""
    return torch.rand(16, generator=stream(seed, purpose))


def test_a_stream_is_decided_by_seed_and_purpose():
    """The same seed and purpose repeat; another seed or another purpose does not."""
    assert torch.equal(draw(0, "order"), draw(0, "order"))
    assert not torch.equal(draw(0, "order"), draw(1, "order"))
    assert not torch.equal(draw(0, "order"), draw(0, "start"))


def test_drawing_from_one_stream_never_shifts_another():
    """However much one purpose draws, another sees the same numbers."""
    expected = draw(0, "order")
    start, order = stream(0, "start"), stream(0, "order")
    torch.rand(1000, generator=start)
    assert torch.equal(torch.rand(16, generator=order), expected)


def test_streams_do_not_touch_the_global_generator():
    """Making and using a stream leaves torch's global state as it was."""
    before = torch.random.get_rng_state()
    draw(3, "order")
    assert torch.equal(before, torch.random.get_rng_state())
