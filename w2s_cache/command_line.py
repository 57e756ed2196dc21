"""The commands that messages tell people to run: written in one way, quoted for a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping

PROGRAM = "w2s-cache"
SPEC_PLACE = "SPEC"
"""Stands for the file of a spec where only the name of its data set is known."""


def command_line(*words: str, **options: object) -> str:
    """A command that can be pasted into a shell: ``w2s-cache train --method cpl --seeds 0-2``.

    Args:
        *words: The command, such as ``"train"``, and its arguments.
        **options: Values by name of the option, underscores for hyphens. None, False and what is
            empty is left out, True is a flag; names stand with commas between them, whole numbers
            as ranges, and a mapping becomes one ``NAME=VALUE`` each, its values as JSON.

    Returns:
        One line, without backticks around it.
    """
    return shlex.join([PROGRAM, *words, *_flags(options)])


def options_only(**options: object) -> str:
    """What a command that was typed can be given in addition, as :func:`command_line` writes it."""
    return shlex.join(_flags(options))


def features_command(
    *, domain: str, strong: str, weak: str, imported: bool, spec: str | None = None, **more: object
) -> str:
    """The command that makes a pair's features: `extract`, or `import` of those somebody made.

    Args:
        domain: The domain's name.
        strong: Name of the strong model.
        weak: Name of the weak model.
        imported: Whether the strong model's features were imported.
        spec: Name or file of the spec, where it is known.
        **more: Further options, as :func:`command_line` takes them.
    """
    words = ("import", "SOURCE") if imported else ("extract",)
    return command_line(*words, spec=spec, domain=domain, strong=strong, weak=weak, **more)


def number_ranges(numbers: Iterable[int]) -> str:
    """``0-2,5``: whole numbers ascending, runs of neighbours as ranges, as ``--seeds`` reads them.

    A range is not written from or to a negative number, whose sign would look like one.
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1 and runs[-1][0] >= 0:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _flags(options: Mapping[str, object]) -> Iterator[str]:
    for name, value in options.items():
        flag = f"--{name.strip('_').replace('_', '-')}"
        for text in _values(value):
            yield from (flag,) if text is None else (flag, text)


def _values(value: object) -> Iterator[str | None]:
    if value is None or value is False:
        return
    if value is True:
        yield None
    elif isinstance(value, Mapping):
        for name, setting in value.items():
            yield f"{name}={setting if isinstance(setting, str) else json.dumps(setting)}"
    elif isinstance(value, list | tuple | set | frozenset):
        numbers = [item for item in value if isinstance(item, int)]
        if numbers:
            yield number_ranges(numbers)
        elif value:
            yield ",".join(map(str, value))
    else:
        yield str(value)
