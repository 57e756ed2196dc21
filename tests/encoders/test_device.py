"""Laws of the device name."""

from __future__ import annotations

import pytest
import torch

from w2s_cache.encoders.device import resolve_device
from w2s_cache.errors import EncoderError


@pytest.mark.parametrize(("works", "chosen"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_cuda_where_it_works(
    monkeypatch: pytest.MonkeyPatch, works: bool, chosen: str
) -> None:
    """Auto is CUDA if torch says that it is there, else the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: works)
    assert resolve_device("auto") == chosen


def test_a_device_that_works_stays_as_it_is() -> None:
    """A name that torch can use is passed on."""
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "graphics-card", ""])
def test_a_device_that_does_not_exist_is_one_sentence(name: str) -> None:
    """A device that torch cannot use is refused by name before any work."""
    with pytest.raises(EncoderError, match="--device auto") as caught:
        resolve_device(name)
    assert repr(name) in caught.value.what
    assert "\n" not in str(caught.value)
