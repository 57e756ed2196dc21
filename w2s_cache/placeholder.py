"""Where a template takes a class name: ``{}`` or ``{c}``, once or more; other braces are text."""

from __future__ import annotations

PLACEHOLDERS = ("{}", "{c}")


def has_place(template: str) -> bool:
    """Whether a class name goes anywhere."""
    return any(mark in template for mark in PLACEHOLDERS)


def put_in(template: str, class_name: str) -> str:
    """The template with the name, its underscores turned into blanks, in every place."""
    spoken = class_name.replace("_", " ")
    return spoken.join(template.replace("{c}", "{}").split("{}"))
