"""Commands in messages run as they stand, with the settings in force."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest

COMMAND = re.compile(r"`(w2s-cache [^`]+)`")


def pasted(told):
    """The words of every command that a message names, without the program's name."""
    return [shlex.split(text)[1:] for text in COMMAND.findall(told.stderr)]


def test_the_command_for_missing_runs_makes_them(studied, w2s, tmp_path):
    """What `tables` says of its missing runs, pasted, leaves none missing."""
    results = tmp_path / "my results"
    place = ("--cache-dir", studied.cache, "--results-dir", results)
    options = ("--spec", studied.spec, *place)
    assert w2s("train", *options, "--method", "weak", "--seeds", "0", "--domain", "art").stdout
    table = ("tables", *options, "--seeds", "0,3", "--domain", "art")
    [command] = pasted(told := w2s(*table))
    assert told.stderr.startswith("main: ")
    assert w2s(*command).exit_code == 0
    assert "missing" not in w2s(*table).stderr


def test_settings_that_some_methods_lack_get_a_command_of_their_own(studied, w2s, tmp_path):
    """With --set the commands for methods with and without the setting both run."""
    where = ("--spec", studied.spec, "--cache-dir", studied.cache, "--results-dir", tmp_path / "r")
    narrow = ("--domain", "art", "--seeds", "1")
    assert w2s("train", *where, *narrow, "--method", "weak").exit_code == 0
    table = ("tables", *where, *narrow, "--set", "tau=0.3")
    told = w2s(*table)
    assert "weak, soft-class-means, pooled-lda have no such setting as tau" in told.stderr
    without, having = pasted(told)
    assert ("--set" in without, "--set" in having) == (False, True)
    for command in (without, having):
        assert w2s(*command).exit_code == 0
    assert "missing" not in w2s(*table).stderr


@pytest.mark.parametrize("name", ["tau=hot", "tua=1"])
@pytest.mark.parametrize("command", ["tables", "compare cpl --against lp-kd"])
def test_settings_that_no_method_has_are_refused(studied, w2s, command, name):
    """A misspelt setting would otherwise leave the numbers as they are."""
    where = ("--spec", studied.spec, "--results-dir", studied.results)
    told = w2s(*command.split(), *where, "--set", name)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "no method here has the setting" in told.stderr


def test_extraction_before_training_names_everything(place, w2s, tmp_path):
    """Spec, cache, models and domain: the command runs, and training after it."""
    where = ("--spec", place.spec, "--cache-dir", tmp_path / "cache")
    train = ("train", *where, "--results-dir", tmp_path / "results", "--domain", "art")
    [command] = pasted(w2s(*train))
    assert w2s(*command).exit_code == 0
    told = w2s(*train, "--method", "weak")
    assert told.exit_code == 0, told.output


def test_features_that_are_there_are_named_before_an_extraction(cached, w2s, tmp_path):
    """The command with another pair runs as it stands, of `export` with the place it writes to."""
    where = ("--spec", cached.spec, "--cache-dir", cached.cache)
    other = ("--strong", "RN50,openai")
    train = ("train", *where, *other, "--results-dir", tmp_path / "r", "--method", "weak")
    for command in (train, ("export", *where, *other, "--output", tmp_path / "out")):
        there, extract = pasted(w2s(*command))
        assert (there[:3], extract[0]) == ([command[0], "--strong", "clip"], "extract")
        assert w2s(*there).exit_code == 0


def test_imported_logits_and_a_root_are_asked_for(cached, w2s, tmp_path):
    """Where the spec cannot tell them, the command has places for them."""
    where = ("--cache-dir", cached.cache, "--results-dir", tmp_path)
    spec = cached.edited(f'root = "{cached.folder / "images"}"\n', "", tmp_path)
    told = w2s("train", "--spec", spec, *where, "--strong", "RN50,openai", "--domain", "art")
    _, command = pasted(told)
    assert command[-2:] == ["--root", "DIR"]
    assert command[command.index("--strong") + 1] == "RN50,openai"


def test_an_environment_s_settings_are_not_repeated(studied, w2s, monkeypatch):
    """What stands in a variable is still there when the command is pasted."""
    monkeypatch.setenv("W2S_CACHE_SPEC", str(studied.spec))
    [command] = pasted(w2s("tables", "--results-dir", studied.results))
    assert "--spec" not in command
    assert command[command.index("--results-dir") + 1] == str(studied.results)


def test_a_command_about_a_spec_names_it(place, w2s, tmp_path):
    """`data classes` has no --spec: the spec in force is its argument, and the command runs."""
    np.savez(tmp_path / "two.npz", path=np.array(["red/0.png"]), logits=np.zeros((1, 2)))
    where = ("--spec", place.spec, "--cache-dir", tmp_path / "cache", "--domain", "art")
    told = w2s("extract", *where, "--weak-logits", tmp_path / "two.npz", "--weak", "mine")
    assert "expected 3 logits per row" in told.stderr
    [command] = pasted(told)
    assert command[:3] == ["data", "classes", str(place.spec)]
    listed = w2s(*command)
    assert (listed.exit_code, len(listed.stdout.splitlines())) == (0, 3)
