"""TOML as typed values: every problem of a file in one error, unknown keys with the nearest."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, TypeVar

import pydantic
from pydantic import BaseModel

from w2s_cache.errors import SpecError, UnknownNameError, shown

Model = TypeVar("Model", bound=BaseModel)


def not_toml(origin: str, error: Exception) -> SpecError:
    """The refusal of text that cannot be read as TOML."""
    return SpecError(
        f"{origin} is not TOML",
        expected="a TOML document in UTF-8",
        found=str(error),
        fix="Mend that line.",
    )


def validate(
    model: type[Model],
    data: dict[str, Any],
    *,
    origin: str,
    expected: str = "the keys and types that `w2s-cache specs show NAME` prints",
) -> Model:
    """Validates ``data`` as ``model``, turning every problem into one :class:`SpecError`.

    ``expected`` says where keys and types can be read.
    """
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as error:
        problems = [_problem(model, problem) for problem in error.errors()]
        raise SpecError(
            f"{origin} has {len(problems)} problem(s)",
            expected=expected,
            found="; ".join(problems),
            fix="Correct them and run again.",
        ) from error


def _problem(model: type[BaseModel], problem: Any) -> str:
    location = [str(part) for part in problem["loc"]]
    where = ".".join(location)
    if problem["type"] == "extra_forbidden":
        return f"unknown key {where!r}{_nearest(model, location)}"
    if problem["type"] == "missing":
        return f"missing key {where!r}"
    return f"{where!r}: {problem['msg'].lower()} (it is {shown(problem['input'])})"


def _nearest(model: type[BaseModel], location: list[str]) -> str:
    """Names the known key of the same table nearest to the one at ``location``."""
    known = list(_fields_at(model, location[:-1]))
    fix = UnknownNameError("key", location[-1], known).fix
    return f" ({fix.rstrip('.')})" if fix.startswith("Did") else f" (known: {', '.join(known)})"


def _fields_at(model: type[BaseModel], path: list[str]) -> Iterator[str]:
    """Yields the field names of the section reached from ``model`` along ``path``."""
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = _section(current.model_fields[part].annotation)
        else:  # a table of named sections, dict[str, Section]
            current = current.__args__[1]
    if isinstance(current, type) and issubclass(current, BaseModel):
        yield from current.model_fields


def _section(annotation: Any) -> Any:
    """The section that ``Section | None`` may be; any other annotation is itself."""
    if isinstance(annotation, types.UnionType):
        return next(part for part in annotation.__args__ if part is not type(None))
    return annotation
