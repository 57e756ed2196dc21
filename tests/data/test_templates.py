"""Prompt templates."""

import pytest

from w2s_cache.data.templates import TEMPLATE_SETS, fill, template_set
from w2s_cache.errors import SpecError, UnknownNameError


def test_plain_is_the_papers_prompt():
    """The CPL paper writes "a photo of a [class]", without a full stop."""
    assert template_set("plain") == ("a photo of a {}",)


def test_openai7_are_seven_that_can_be_filled():
    """The set has seven different templates; each takes a class name."""
    prompts = {fill(template, "axe") for template in template_set("openai7")}
    assert len(prompts) == 7
    assert all("axe" in prompt and "{" not in prompt for prompt in prompts)


@pytest.mark.parametrize(
    ("template", "name", "prompt"),
    [
        ("a photo of a {}", "The_Eiffel_Tower", "a photo of a The Eiffel Tower"),
        ("a photo of a {c}.", "t-shirt", "a photo of a t-shirt."),
        ("{}, a {c}", "axe", "axe, a axe"),
        ("{}", "{}", "{}"),
        ("{}", "a {c}", "a {c}"),
        ("{x} {}", "axe", "{x} axe"),
    ],
)
def test_fill_puts_the_name_in_every_placeholder(template, name, prompt):
    """Both placeholders work; '_' is a blank; braces in a class name are only text."""
    assert fill(template, name) == prompt


@pytest.mark.parametrize("template", ["", "a photo", "a photo of a {class}", "{ }"])
def test_template_without_placeholder_is_refused(template):
    """A template that would give every class the same prompt is a mistake in the spec."""
    with pytest.raises(SpecError, match="placeholder") as caught:
        fill(template, "axe")
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


def test_unknown_set_offers_the_known_ones():
    """A wrong name lists the sets there are."""
    with pytest.raises(UnknownNameError, match="'openai7'"):
        template_set("openai-7")
    assert set(TEMPLATE_SETS) == {"plain", "openai7"}
