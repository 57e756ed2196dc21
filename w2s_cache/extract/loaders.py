"""Encoders by what they are made from, so that another process can build them.

Nothing is pickled but sections of a spec and paths.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.encoders.protocol import StrongEncoder
from w2s_cache.errors import StoreError
from w2s_cache.extract.crew_member import Load
from w2s_cache.spec import StrongSpec, WeakSpec
from w2s_cache.weak.checkpoint import weak_classifier
from w2s_cache.weak.classifier import WeakClassifier


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


def named_by(place: Path) -> Callable[[str], Path]:
    """Key digest → directory of a weak model: the place, with the first 12 digits appended."""
    return lambda key_digest: place.with_name(f"{place.name}-{key_digest[:12]}")


def weak_loader(place: Path, weak: WeakSpec, *, classes: tuple[str, ...], trained_on: str) -> Load:
    """Device → the weak model that was fine-tuned before, see ``weak_classifier``."""
    return functools.partial(
        _fine_tuned, place=place, weak=weak, classes=classes, trained_on=trained_on
    )


def _fine_tuned(
    *, place: Path, weak: WeakSpec, classes: tuple[str, ...], trained_on: str, device: str
) -> WeakClassifier:
    classifier, _ = weak_classifier(
        named_by(place),
        weak=weak,
        classes=classes,
        trained_on=trained_on,
        device=device,
        train=_refuse,
    )
    return classifier


def _refuse(network: Any, transform: Any, skipped: Sequence[str]) -> None:  # noqa: ARG001
    raise StoreError(
        "the fine-tuned weak model is gone",
        expected="the weights that the process before wrote",
        found="none",
        fix="Leave the cache alone while it is written, then run the same command again.",
    )
