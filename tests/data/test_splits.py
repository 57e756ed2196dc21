"""The seeded test half of data sets without one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.data.splits import draw_test_paths
from w2s_cache.errors import DataError

NAMES = st.sets(st.text("abz_é", min_size=1, max_size=5), min_size=1, max_size=30)


def draw(paths, **changes):
    """A draw with plain arguments."""
    arguments = {"fraction": 0.3, "seed": 0, "domain": "art", "class_name": "axe", **changes}
    return draw_test_paths(paths, **arguments)


@given(paths=NAMES, seed=st.integers(0, 2**40), fraction=st.floats(0.01, 0.99))
def test_size_is_the_floor_but_leaves_something_on_both_sides(paths, seed, fraction):
    """A subset of floor(fraction · n), at least one and at most n - 1 where n is two or more."""
    test = draw(paths, seed=seed, fraction=fraction)
    assert test <= paths
    n = len(paths)
    assert 1 <= len(test) <= max(1, n - 1)
    if 1 <= int(fraction * n) <= n - 1:
        assert abs(len(test) - fraction * n) < 1 + 1e-9


@given(paths=NAMES, seed=st.integers(0, 99), order=st.integers(0, 99))
def test_order_of_the_paths_does_not_matter(paths, seed, order):
    """A draw depends on the set of paths alone."""
    shuffled = sorted(paths)
    random.Random(order).shuffle(shuffled)
    assert draw(shuffled, seed=seed) == draw(paths, seed=seed)


def test_seed_domain_and_class_each_change_the_draw():
    """Draws of different classes, domains and seeds are independent of one another."""
    paths = [f"{i:03}" for i in range(100)]
    changes = ({}, {"seed": 1}, {"domain": "clipart"}, {"class_name": "bee"})
    assert len({draw(paths, **change) for change in changes}) == 4


def test_spelling_of_the_names_does_not_change_the_draw():
    """Renaming a folder from 'Alarm_Clock' to 'alarm clock' moves no image to the other half."""
    paths = [f"{i:03}" for i in range(50)]
    assert draw(paths, class_name="Alarm_Clock") == draw(paths, class_name="alarm clock")


def test_draw_of_seed_0_stays_what_it_was():
    """Golden draw of this implementation (PCG64 raw words)."""
    assert sorted(draw([f"{i}" for i in range(10)])) == ["0", "3", "9"]


@pytest.mark.parametrize("change", [{"fraction": 0.0}, {"fraction": 1.0}, {"seed": -1}])
def test_senseless_arguments_are_refused(change):
    """Shares outside (0, 1) and negative seeds are errors of four parts."""
    with pytest.raises(DataError, match="test_fraction") as caught:
        draw(["a", "b"], **change)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
