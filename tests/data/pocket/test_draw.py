"""Drawings are pure functions of class, domain and seed."""

import re
from itertools import pairwise

import numpy as np
import pytest

from w2s_cache.data.pocket import CLASSES, CLIP_SEEDS, DOMAINS, TEST_SEEDS, TRAIN_SEEDS, draw
from w2s_cache.data.pocket.palette import ROLES
from w2s_cache.data.pocket.shapes import SHAPES
from w2s_cache.errors import UnknownNameError


def test_the_catalogues_have_forty_classes_and_six_domains_in_alphabetical_order() -> None:
    """Labels are positions in the sorted names, so both tuples are sorted and complete."""
    assert len(CLASSES) == 40
    assert list(CLASSES) == sorted(CLASSES)
    assert DOMAINS == ("clipart", "infograph", "painting", "quickdraw", "real", "sketch")
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in CLASSES)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_same_seed_gives_the_same_picture_and_another_seed_another(domain: str) -> None:
    """``draw`` depends on its three arguments and on nothing else."""
    first, again, other = (draw("bicycle", domain, seed) for seed in (7, 7, 8))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_class_draws_a_picture_that_is_not_empty(domain: str) -> None:
    """Each class in each domain gives a 64×64 RGB picture with visible content."""
    for name in CLASSES:
        picture = draw(name, domain, 3)
        assert picture.mode == "RGB"
        assert picture.size == (64, 64)
        assert np.asarray(picture, dtype=float).std() > 5, name


def test_every_class_has_its_own_shape() -> None:
    """No two classes share a shape function, and none draws outside its square by much."""
    assert len(set(SHAPES.values())) == len(SHAPES)
    for name, shape in SHAPES.items():
        for seed in range(5):
            corners = np.concatenate([p.points for p in shape(np.random.default_rng(seed))])
            assert np.abs(corners).max() < 1.35, name


def test_every_role_of_every_shape_has_a_colour() -> None:
    """The palette knows all roles, apart from the hole, which shows the ground."""
    for name, shape in SHAPES.items():
        for seed in range(20):
            roles = {part.role for part in shape(np.random.default_rng(seed))}
            assert roles <= {*ROLES, "hole"}, name


def test_seeds_of_train_test_and_clip_are_disjoint() -> None:
    """A picture is a function of its seed, so disjoint seeds mean no picture in common."""
    ranges = sorted((TRAIN_SEEDS, TEST_SEEDS, CLIP_SEEDS), key=lambda r: r.start)
    assert all(a.stop <= b.start for a, b in pairwise(ranges))
    assert all(len(r) >= 100_000 for r in ranges)


@pytest.mark.parametrize(("name", "domain"), [("aple", "real"), ("apple", "reel")])
def test_a_name_that_does_not_exist_is_refused_with_a_suggestion(name: str, domain: str) -> None:
    """A misspelt class or domain raises an error that offers the nearest name."""
    with pytest.raises(UnknownNameError, match="Did you mean"):
        draw(name, domain, 0)
