"""Commands in messages, completed with the settings of the command that is running.

The library names a command by what it knows (`w2s-cache train --method cpl`). Whoever pastes it
needs the spec, models, seeds and folders in force too: those typed, since the environment stays.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import click
from click.core import ParameterSource

from w2s_cache.command_line import PROGRAM, SPEC_PLACE, command_line
from w2s_cache.errors import W2SError
from w2s_cache.request import IMPORTED
from w2s_cache.sections import strong_section_of
from w2s_cache.spec import Spec
from w2s_cache.spec_files import load_spec

_RUNNING = f"{__name__}.running"
_COMMAND = re.compile(f"`({PROGRAM} [^`]+)`")
_CARRIED = (
    *("--spec", "--root", "--domain", "--method", "--seeds", "--strong", "--weak", "--precision"),
    *("--decoder", "--strong-checkpoint", "--weak-checkpoint", "--set", "--eval-split", "--select"),
    *("--cache-dir", "--results-dir", "--device"),
)
"""Options that say which data, models, runs and places are meant; not how something is shown.

Those that a command cannot do without are carried too.
"""


def note_running(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Callback of ``--spec``: remembers the command, so that messages can be completed."""
    ctx.meta[_RUNNING] = ctx
    return value


def next_step(*words: str, but: Collection[str] = (), **options: object) -> str:
    """A command to run after this one, with the settings in force, between backticks.

    Args:
        *words: The command and its arguments.
        but: Flags that are not to be carried over.
        **options: What it is given, as :func:`command_line` takes it.
    """
    return completed(f"`{command_line(*words, **options)}`", but=but)


def same_step(options: Mapping[str, str]) -> str:
    """The command that is running with other options, between backticks."""
    running = click.get_current_context()
    words = running.command_path.removeprefix(running.find_root().command_path).split()
    return completed(f"`{command_line(*words, **options)}`")


def completed(text: str, *, but: Collection[str] = ()) -> str:
    """The text, every command in backticks with the typed settings it takes and does not name."""
    running = click.get_current_context().meta.get(_RUNNING)
    if running is None:
        return text
    return _COMMAND.sub(lambda found: f"`{_completed(found[1], running, but)}`", text)


def _completed(command: str, running: click.Context, but: Collection[str]) -> str:
    try:
        words = shlex.split(command)
    except ValueError:  # a message that quotes something else
        return command
    words = _known_spec(words, running)
    if words[1:2] == ["extract"] and _features_imported(words, running):
        words[1:2] = ["import", "SOURCE"]  # extract knows no such encoder
        words = _without_pair(words, "--on-error")
    target, name = _target(words[1:], running)
    if target is None:
        return command
    if any(p.name == "spec_name" for p in target.params if isinstance(p, click.Argument)):
        words = _with_spec(words, running, name)
    named = {word.partition("=")[0] for word in words} | set(but)
    taken = {flag: p for p in target.params if isinstance(p, click.Option) for flag in p.opts}
    for flag, value in _typed(running):
        if flag in taken and flag not in named and _fits(value, taken[flag]):
            words += shlex.split(command_line(**{flag.strip("-"): value}))[1:]
    return shlex.join([*words, *(_inputs(words, running) if name in ("extract", "import") else ())])


def _known_spec(words: list[str], running: click.Context) -> list[str]:
    """The words, the spec that was given in the place that a command leaves for one."""
    given = running.params.get("spec_name")
    place = _place(words, "--spec")
    if place is None or words[place] != SPEC_PLACE or given is None:
        return words
    return [*words[:place], given, *words[place + 1 :]]


def _features_imported(words: list[str], running: click.Context) -> bool:
    """Whether the strong model meant is a name that somebody gave to imported features."""
    place, spec = _place(words, "--strong"), _spec(words, running)
    strong = words[place] if place is not None else running.params.get("strong")
    if spec is None or not isinstance(strong, str):
        return False
    return strong_section_of(spec, strong)[1].library == IMPORTED


def _without_pair(words: list[str], flag: str) -> list[str]:
    place = _place(words, flag)
    return words if place is None else [*words[: place - 1], *words[place + 1 :]]


def _place(words: list[str], flag: str) -> int | None:
    """Where the value of an option stands, None where it is not given."""
    return words.index(flag) + 1 if flag in words[:-1] else None


def _spec(words: list[str], running: click.Context) -> Spec | None:
    """The spec that a command, or else the running one, names; None where it cannot be read."""
    place = _place(words, "--spec")
    name = words[place] if place is not None else running.params.get("spec_name")
    try:
        return load_spec(name) if name else None
    except W2SError:  # the message is about the spec, or it has a place for one
        return None


def _target(words: list[str], running: click.Context) -> tuple[click.Command | None, str]:
    """The command that words name, groups followed to their members, and its name."""
    command: click.Command | None = running.find_root().command
    name = ""
    for word in words:
        if not isinstance(command, click.Group):
            break
        command, name = command.get_command(running, word), word
    return (None if isinstance(command, click.Group) else command), name


def _with_spec(words: list[str], running: click.Context, name: str) -> list[str]:
    """The spec, behind a command that takes it as its argument and is named without it."""
    if words[-1] != name or "spec_name" not in running.params:
        return words
    return [*words, str(running.params["spec_name"])]


def _typed(running: click.Context) -> Iterator[tuple[str, Any]]:
    """The options that were given on the command line and say what is meant, in a fixed order."""
    options = {p.opts[0]: p for p in running.command.params if isinstance(p, click.Option)}
    needed = (flag for flag, option in options.items() if option.required)
    for flag in dict.fromkeys((*_CARRIED, *needed)):
        option = options.get(flag)
        if option is None or option.name is None:
            continue
        if running.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            yield flag, running.params[option.name]


def _fits(value: Any, option: click.Option) -> bool:
    """Several names do not fit an option that takes one."""
    several = isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str)
    return option.multiple or not several


def _inputs(words: list[str], running: click.Context) -> Iterator[str]:
    """What `extract` and `import` cannot find: a root the spec does not name, imported logits."""
    spec = _spec(words, running)
    if spec is None:
        return
    rootless = spec.data.root is None and spec.data.source == "disk"
    if rootless and "--root" not in words and not os.environ.get("W2S_DATA_ROOT"):
        yield from ("--root", "DIR")
    weak = _place(words, "--weak")
    if weak is not None and words[weak] not in spec.weak and "--weak-logits" not in words:
        yield from ("--weak-logits", "FILE")
