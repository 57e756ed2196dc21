"""Help: complete, and fast because nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from w2s_cache import __version__
from w2s_cache.methods import GROUPS
from w2s_cache_cli.main import COMMANDS, cli

HEAVY = (
    *("torch", "h5py", "numpy", "pyarrow", "scipy", "matplotlib"),
    *("open_clip", "timm", "transformers"),
)

CHOOSING = ("cache verify", "cache pack", "cache rm")
"""They choose by name what is cached; without a name they take all."""


def commands() -> dict[str, click.Command]:
    """Every command by the words that call it, those inside groups too."""
    context = click.Context(cli)
    found: dict[str, click.Command] = {"": cli}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                inside = command.get_command(context, inner)
                assert inside is not None
                found[f"{name} {inner}"] = inside
    return found


@pytest.mark.parametrize("words", commands())
def test_help_names_every_option_with_a_text(words, w2s):
    """`--help` and `-h` exit 0 and name each option, each of which says what it does."""
    told = w2s(*words.split(), "--help")
    assert told.exit_code == 0
    assert w2s(*words.split(), "-h").stdout == told.stdout
    for parameter in commands()[words].params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in told.stdout
            assert parameter.help
            assert not parameter.envvar or str(parameter.envvar) in told.stdout


MANY_OPTIONS = 10
SHOWN = "    w2s-cache "


@pytest.mark.parametrize("words", commands())
def test_examples_are_shown_where_options_are_many_and_can_be_pasted(words, w2s):
    """A command of ten options or more shows how it is used; every example shown is understood."""
    told = w2s(*words.split(), "--help").stdout.replace("\\\n", "")
    found = [line.split(" > ")[0].split()[1:] for line in told.splitlines() if SHOWN in line]
    command = commands()[words]
    assert found or isinstance(command, click.Group) or len(command.params) < MANY_OPTIONS
    for example in found:
        called = max(
            (name for name in commands() if example[: len(name.split())] == name.split()), key=len
        )
        with commands()[called].make_context(called, example[len(called.split()) :]):
            pass


@pytest.mark.parametrize(
    ("words", "default"),
    [
        ("train", "the spec's"),
        ("sweep", "the spec's sweep"),
        ("export", "with predictions, all that have runs"),
        ("plot curves", "all that have runs, without ceilings"),
    ],
)
def test_method_names_every_group_and_what_is_taken_without_it(words, default, w2s):
    """One option wherever several methods fit; its default is the command's own."""
    told = " ".join(w2s(*words.split(), "--help").stdout.split())
    assert f"({', '.join(GROUPS)}, all)" in told
    assert f"Default: {default}. See `w2s-cache methods`." in told


@pytest.mark.parametrize(
    ("flag", "but"),
    [
        ("--domain", {"plot curves", "plot beta"}),
        ("--root", {"data fetch", "doctor"}),
        ("--strong", {"sweep", "tables", "import", *CHOOSING}),
        ("--weak", {"sweep", "tables", *CHOOSING}),
        ("--spec", {"cache diff", *CHOOSING}),
        *((flag, set()) for flag in ("--device", "--workers", "--precision", "--decoder")),
        *((flag, set()) for flag in ("--strong-checkpoint", "--weak-checkpoint", "--cache-dir")),
        *((flag, set()) for flag in ("--results-dir", "--set", "--select", "--eval-split")),
    ],
)
def test_an_option_is_declared_once(flag, but):
    """A flag is one declaration in all commands that mean the same by it, never a copy."""
    having = {
        words: parameter
        for words, command in commands().items()
        for parameter in command.params
        if flag in parameter.opts and words not in but
    }
    assert len(having) > 1
    [declared] = {
        (p.name, p.help, p.default if callable(p.default) else repr(p.default), repr(p.type))
        for p in having.values()
    }
    assert declared


@pytest.mark.parametrize("words", commands())
def test_help_fits_a_terminal_of_80_columns(words, w2s, monkeypatch):
    """No line is wrapped by the terminal, examples included, and no list cuts a sentence short."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = w2s(*words.split(), "--help").stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if line.endswith("...") and "Usage:" not in line] == []


def test_the_program_lists_every_command(w2s):
    """`w2s-cache --help` has one line per command, and each module holds that command."""
    told = w2s("--help").stdout
    assert all(f"  {name} " in told for name in COMMANDS)
    assert set(COMMANDS) <= set(commands())


def test_the_version_is_the_package_s(w2s):
    """`--version` prints what `w2s_cache.__version__` says."""
    assert w2s("--version").stdout.strip().endswith(f"version {__version__}")


def test_no_help_imports_anything_heavy():
    """Help of the program and of every command leaves torch, h5py, numpy and pyarrow alone."""
    program = f"""
import sys
from click.testing import CliRunner
from w2s_cache_cli.cache_command import COMMANDS as INNER
from w2s_cache_cli.main import COMMANDS, cli
for words in [[], *([name] for name in COMMANDS), *(["cache", name] for name in INNER)]:
    assert CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0
    heavy = sorted(set({HEAVY!r}) & set(sys.modules))
    assert not heavy, (words, heavy)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
