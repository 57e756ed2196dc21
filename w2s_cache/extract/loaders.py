"""Encoders by what they are made from, so that another process can build them.

Nothing is pickled but sections of a spec and paths.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.encoders.protocol import StrongEncoder
from w2s_cache.extract.crew_member import Load
from w2s_cache.spec import StrongSpec, WeakSpec
from w2s_cache.weak.checkpoint import kept_classifier


def strong_loader(section: StrongSpec) -> Callable[..., StrongEncoder]:
    """Device → the strong encoder of a section; raises what ``load_encoder`` raises."""
    return functools.partial(
        load_encoder,
        section.library,
        section.model,
        checkpoint=section.checkpoint,
        precision=section.precision,
        decoder=section.decoder,
    )


def weak_loader(directory: Path, weak: WeakSpec, *, classes: int) -> Load:
    """Device → the weak model whose weights a directory holds, see ``kept_classifier``."""
    return functools.partial(kept_classifier, directory, weak=weak, classes=classes)
