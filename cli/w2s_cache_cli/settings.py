"""Settings that differ from the spec's: hyper-parameters, evaluation rows, selection."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from w2s_cache.spec import EvalSplit, Select, Spec

Command = TypeVar("Command", bound=Callable[..., Any])


def _hyper_parameters(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> dict[str, Any]:
    """``tau=0.1`` or ``tau=[1.0,0.1]`` → {"tau": …}; the right side is JSON or plain text."""
    options: dict[str, Any] = {}
    for item in value:
        name, equals, text = item.partition("=")
        if not equals:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE")
        try:
            options[name] = json.loads(text)
        except (ValueError, RecursionError):  # no JSON, or a number of thousands of digits
            options[name] = text
    return options


_OPTIONS = (
    click.option(
        "--set",
        "options",
        multiple=True,
        callback=_hyper_parameters,
        metavar="NAME=VALUE",
        help="Hyper-parameter, e.g. tau=0.1; a list such as tau=[1,0.1] is selected from on val.",
    ),
    click.option(
        "--eval-split",
        type=click.Choice(["held-out", "full-test"]),
        help="held-out: the 20% nobody trains on; full-test: the paper's literal reading. "
        "Default: the spec's.",
    ),
    click.option(
        "--select",
        type=click.Choice(["weak-agreement", "last", "oracle"]),
        help="Which epoch is kept. oracle looks at ground truth and is marked in every table. "
        "Default: the spec's.",
    ),
)


def settings_options(command: Command) -> Command:
    """Adds the options that change a run's settings; tables finds runs by the same ones."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_protocol(spec: Spec, eval_split: EvalSplit | None, select: Select | None) -> Spec:
    """The spec with another protocol where one is asked for."""
    asked = {"eval_split": eval_split, "select": select}
    changed = {name: value for name, value in asked.items() if value is not None}
    return spec.model_copy(update={"protocol": spec.protocol.model_copy(update=changed)})
