"""The catalogue of styles: one line per domain, in DomainNet's spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from numpy.random import Generator
from PIL import Image

from w2s_cache.data.pocket.parts import Part
from w2s_cache.data.pocket.styles.clipart import clipart
from w2s_cache.data.pocket.styles.infograph import infograph
from w2s_cache.data.pocket.styles.painting import painting
from w2s_cache.data.pocket.styles.quickdraw import quickdraw
from w2s_cache.data.pocket.styles.real import real
from w2s_cache.data.pocket.styles.sketch import sketch

Style = Callable[[Sequence[Part], Generator], Image.Image]

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "clipart": clipart,
        "infograph": infograph,
        "painting": painting,
        "quickdraw": quickdraw,
        "real": real,
        "sketch": sketch,
    }
)
