"""The catalogue of shapes: one line per class, in DomainNet's spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from numpy.random import Generator

from w2s_cache.data.pocket.parts import Part
from w2s_cache.data.pocket.shapes import food, home, nature, sky, tools, travel, wear

Shape = Callable[[Generator], list[Part]]

SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "apple": food.apple,
        "axe": tools.axe,
        "banana": food.banana,
        "bicycle": travel.bicycle,
        "book": home.book,
        "bridge": travel.bridge,
        "butterfly": nature.butterfly,
        "candle": home.candle,
        "car": travel.car,
        "carrot": food.carrot,
        "clock": home.clock,
        "cloud": sky.cloud,
        "crown": wear.crown,
        "cup": home.cup,
        "diamond": wear.diamond,
        "door": home.door,
        "envelope": home.envelope,
        "eyeglasses": wear.eyeglasses,
        "fish": nature.fish,
        "flower": nature.flower,
        "hammer": tools.hammer,
        "hat": wear.hat,
        "house": home.house,
        "key": tools.key,
        "ladder": tools.ladder,
        "leaf": nature.leaf,
        "light_bulb": home.light_bulb,
        "lollipop": food.lollipop,
        "moon": sky.moon,
        "mountain": nature.mountain,
        "mushroom": food.mushroom,
        "pencil": tools.pencil,
        "pizza": food.pizza,
        "scissors": tools.scissors,
        "snowman": sky.snowman,
        "star": sky.star,
        "sun": sky.sun,
        "sword": tools.sword,
        "tree": nature.tree,
        "umbrella": wear.umbrella,
    }
)
