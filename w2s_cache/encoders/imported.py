"""Features that somebody else computed have no encoder here; whoever asks for one is told so."""

from __future__ import annotations

from typing import NoReturn

from w2s_cache.errors import NoTextTowerError


def load(model: str, *, checkpoint: str | None, precision: str, device: str) -> NoReturn:  # noqa: ARG001
    """Refuses, whatever is asked for.

    Raises:
        NoTextTowerError: Always: neither images nor prompts can be encoded.
    """
    raise NoTextTowerError(
        f"{model} are imported features",
        expected="an encoder that runs here",
        found="numbers that somebody else computed",
        fix="Bring further images in by `w2s-cache import`; prompts need features that "
        "`w2s-cache extract` made.",
    )
