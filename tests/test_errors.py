"""Laws of errors: four parts, and the nearest names."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache import errors
from w2s_cache.errors import UnknownNameError, W2SError

PARTS = {"expected": "an egg", "found": "a stone", "fix": "Look elsewhere."}
PLAIN = [getattr(errors, name) for name in errors.__all__ if name != "UnknownNameError"]


@pytest.mark.parametrize("kind", PLAIN)
def test_a_message_has_its_four_parts_in_order(kind: type[W2SError]) -> None:
    """What, expected, found, next step: one sentence and one imperative, and four attributes."""
    error = kind("the nest", **PARTS)
    assert str(error) == "the nest: expected an egg, found a stone. Look elsewhere."
    assert (error.what, error.expected, error.found, error.fix) == ("the nest", *PARTS.values())


@pytest.mark.parametrize("part", PARTS)
def test_no_part_can_be_left_out(part: str) -> None:
    """A message without one of its parts cannot be made."""
    with pytest.raises(TypeError, match=part):
        W2SError("the nest", **{name: text for name, text in PARTS.items() if name != part})


def test_the_tree_is_the_one_that_is_drawn() -> None:
    """Every class is exported, documented, and stands in the docstring below its parent."""
    classes = {
        c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__
    }
    assert {c.__name__ for c in classes} == set(errors.__all__)
    drawn = {}
    path: list[tuple[int, str]] = []
    for line in str(errors.__doc__).splitlines():
        name = line.split()[0] if line.split() else ""
        if name in errors.__all__:
            depth = len(line) - len(line.lstrip())
            path = [(d, n) for d, n in path if d < depth]
            drawn[name] = path[-1][1] if path else "Exception"
            path.append((depth, name))
    assert drawn == {c.__name__: c.mro()[1].__name__ for c in classes}
    assert all(c.__doc__ for c in classes)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("cpll", "Did you mean 'cpl'?"),
        ("CPL", "Did you mean 'cpl'?"),
        ("rn50", "Did you mean 'RN50'?"),
        ("vit-b-23", "Did you mean 'ViT-B-32'?"),
        ("zzzz", "Choose a known one."),
    ],
)
def test_the_nearest_name_is_offered_in_its_own_spelling(name: str, fix: str) -> None:
    """Neighbours are found whatever the case of either side."""
    error = UnknownNameError("thing", name, ["cpl", "RN50", "ViT-B-32"])
    assert error.fix == fix
    assert (error.expected, error.found) == ("one of RN50, ViT-B-32, cpl", repr(name))


def test_many_names_are_counted_and_none_is_said() -> None:
    """A long list is not printed whole, an empty one is not hidden."""
    many = UnknownNameError("model", "x", (f"model-{number:02}" for number in range(21)))
    assert many.expected == "one of 21 known names, such as model-00, model-01, model-02"
    assert UnknownNameError("model", "x", []).expected == "one of (none)"


@given(st.text(), st.lists(st.text(), max_size=30))
def test_any_name_gives_a_message(name: str, known: list[str]) -> None:
    """Whatever is typed, what is offered is known."""
    error = UnknownNameError("thing", name, known)
    assert error.known == sorted(known)
    if error.fix.startswith("Did"):
        assert any(repr(candidate) in error.fix for candidate in known)
