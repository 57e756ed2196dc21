"""Prompt templates: the sentences a class name is put into for the text encoder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.placeholder import has_place, put_in

__all__ = ["TEMPLATE_SETS", "fill", "resolve_templates", "template_set"]

TEMPLATE_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # The CPL paper's single prompt, without a full stop.
        "plain": ("a photo of a {}",),
        # The seven ImageNet templates chosen by forward selection in OpenAI's CLIP notebook.
        "openai7": (
            "itap of a {}.",
            "a bad photo of the {}.",
            "a origami {}.",
            "a photo of the large {}.",
            "a {} in a video game.",
            "art of the {}.",
            "a photo of the small {}.",
        ),
    }
)


def template_set(name: str) -> tuple[str, ...]:
    """The templates of a named set.

    Raises:
        UnknownNameError: If there is no such set.
    """
    if name not in TEMPLATE_SETS:
        raise UnknownNameError("template set", name, TEMPLATE_SETS)
    return TEMPLATE_SETS[name]


def resolve_templates(names: Iterable[str]) -> tuple[str, ...]:
    """The templates that a spec lists: names of sets, or literal templates, in order.

    Raises:
        UnknownNameError: If there is no such set.
        SpecError: If a literal template has no placeholder, or there is no template at all.
    """
    templates = tuple(
        template for name in names for template in ((name,) if "{" in name else template_set(name))
    )
    if not templates:
        raise SpecError(
            "prompt templates",
            expected="at least one name of a set or template with {}",
            found="none",
            fix='Write e.g. templates = ["plain"].',
        )
    for template in templates:
        fill(template, "")
    return templates


def fill(template: str, class_name: str) -> str:
    """Put a class name, its underscores turned into blanks, where the template says so.

    Args:
        template: Text with the placeholder ``{}`` or ``{c}``, once or more.
        class_name: As the data set writes it, e.g. ``The_Eiffel_Tower``.

    Raises:
        SpecError: If the template has no placeholder.
    """
    if not has_place(template):
        raise SpecError(
            "prompt template",
            expected="a placeholder {} or {c} for the class name",
            found=repr(template),
            fix="Write it like 'a photo of a {}'.",
        )
    return put_in(template, class_name)
