"""What the web would write under a drawing: mostly right, sometimes vague, sometimes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from types import MappingProxyType

from numpy.random import Generator

from w2s_cache.data.pocket.shapes import SHAPES

SHARES: Mapping[str, float] = MappingProxyType(
    {
        "real": 0.36,
        "clipart": 0.28,
        "painting": 0.12,
        "sketch": 0.11,
        "infograph": 0.07,
        "quickdraw": 0.06,
    }
)
VAGUE: Mapping[str, float] = MappingProxyType(
    {  # a shop names what it sells; a gallery names the technique, a doodle often nothing
        "real": 0.12,
        "clipart": 0.12,
        "painting": 0.55,
        "sketch": 0.3,
        "infograph": 0.3,
        "quickdraw": 0.3,
    }
)
WRONG, ANYWHERE, LIGHT = 0.12, 0.25, 0.15
UNNAMED = 16
"""How many classes of each rare domain are never called by name: the web's long tail."""

_RARE = frozenset({"painting", "sketch", "infograph", "quickdraw"})
_THEMES = MappingProxyType(
    {
        "food": "thing to eat",
        "home": "thing from a home",
        "nature": "piece of nature",
        "sky": "thing in the sky",
        "tools": "tool",
        "travel": "thing on the way",
        "wear": "thing to wear",
    }
)

_OF_DOMAIN = MappingProxyType(
    {
        "real": "a photo of a {}|a photo of a {}|a photo of the {}|close-up photo of a {}|"
        "a {} on a table|my new {}|a {} outdoors, stock photo",
        "clipart": "a clipart of a {}|{} icon|a cartoon {}|a drawing of a {}|"
        "vector illustration of a {}|a {}, clip art",
        "painting": "a painting of a {}|an oil painting of the {}|{}, acrylic on canvas|"
        "a {} in the style of an old master",
        "sketch": "a sketch of a {}|a pencil drawing of a {}|a drawing of the {}|"
        "study of a {}, graphite",
        "infograph": "a {} in a chart|an infographic about a {}|facts about the {}",
        "quickdraw": "a doodle of a {}|a quick drawing of a {}|my child drew this {}",
    }
)
_ANYWHERE = "a {}|{}|the {}|a picture of a {}|an image of a {}|a photo of a {}"
_VAGUE = (
    "an image|a photo of something|untitled|download for free|see the next page|"
    "a nice picture|a photo of a thing|new in our shop"
)


def caption(
    name: str, domain: str, brightness: float, rng: Generator, others: tuple[str, ...]
) -> str:
    """Write a caption for one picture.

    Args:
        name: The class that was drawn.
        domain: The style it was drawn in; most templates belong to one.
        brightness: Mean of the pixels in 0..255, mentioned now and then.
        rng: Source of choices.
        others: Class names from which a wrong caption takes its name.

    Returns:
        A phrase; with the domain's share in ``VAGUE`` it names nothing, else with probability
        ``WRONG`` a random class. Classes that a rare domain never names are called by theme.
    """
    if rng.random() < VAGUE[domain]:
        return _one_of(_VAGUE, rng)
    if rng.random() < WRONG:
        name = others[rng.integers(len(others))]
    if name in unnamed(domain):
        name = theme(name)
    templates = _ANYWHERE if rng.random() < ANYWHERE else _OF_DOMAIN[domain]
    text = _one_of(templates, rng).format(name.replace("_", " "))
    light = "dark" if brightness < 110 else "bright"
    return f"{text}, {light}" if rng.random() < LIGHT else text


@cache
def unnamed(domain: str) -> frozenset[str]:
    """Classes that captions of a domain call by their theme only; none in the common domains."""
    if domain not in _RARE:
        return frozenset()
    shuffled = sorted(SHAPES, key=lambda name: sha256(f"{domain}/{name}".encode()).digest())
    return frozenset(shuffled[:UNNAMED])


def theme(name: str) -> str:
    """What a class is called by someone who does not name it."""
    return _THEMES[SHAPES[name].__module__.rpartition(".")[2]]


def _one_of(phrases: str, rng: Generator) -> str:
    choices = phrases.split("|")
    return choices[rng.integers(len(choices))]
