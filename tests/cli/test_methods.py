"""`w2s-cache methods`: every method with the defaults of its hyper-parameters."""

from __future__ import annotations

import shlex

import pytest

from w2s_cache.method import resolve_options
from w2s_cache.methods import METHODS
from w2s_cache.tables.settings import setting_text


@pytest.fixture
def listed(w2s):
    """What stands below each method's name, its first line included, by name."""
    told = w2s("methods")
    assert told.exit_code == 0
    found: dict[str, list[str]] = {}
    for line in told.stdout.splitlines():
        if not line.startswith(" "):
            name = line.split()[0]
            found[name] = []
        found[name].append(line)
    return found


def test_every_method_begins_a_line(listed):
    """All methods are there, each once, in the order in which groups name them."""
    assert set(listed) == set(METHODS)


def test_no_hyper_parameter_is_lost_or_parted(listed):
    """Behind a method's title stand all its hyper-parameters as `--set` reads them, and no more."""
    for name, method in METHODS.items():
        options = resolve_options(name, method, {})
        shown = " ".join(listed[name])[len(name) :].strip().removeprefix(method.title)
        assert shlex.split(shown) == shlex.split(
            " ".join(setting_text(key, value) for key, value in options.items())
        )
        whole = [line for line in listed[name] if line.count('"') % 2]
        assert whole == []


def test_lines_fit_100_columns(listed):
    """A terminal of 100 columns wraps none of them."""
    assert max(len(line) for lines in listed.values() for line in lines) <= 100


def test_columns_fit_the_longest(listed):
    """Titles and hyper-parameters begin at the same place in every line, those below included."""
    titles = {listed[name][0].index(f"  {METHODS[name].title}") + 2 for name in METHODS}
    assert titles == {max(map(len, listed)) + 2}
    options = titles.pop() + max(len(method.title) for method in METHODS.values()) + 2
    for first, *below in listed.values():
        shown = first[options:].split(" ")[0]
        assert first[options - 2 : options].strip() == ""
        assert shown == "" or "=" in shown
        for line in below:
            assert line[:options].strip() == ""
            assert "=" in line[options:].split(" ")[0]


def test_what_tau_sets_is_said_once(w2s):
    """One sentence beside the list and in the help, not in every line."""
    told = w2s("methods")
    assert "--set tau=VALUE" in told.stderr
    assert "--set tau=VALUE" in w2s("methods", "--help").stdout
    assert "tau sets" not in told.stdout
