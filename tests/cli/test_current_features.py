"""Runs are shown that were made of the features in the cache, whatever their dates say."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from w2s_cache.results import find_runs, record_to_json, run_path
from w2s_cache.store.index import read_index
from w2s_cache.store.layout import index_path

METHODS = "weak,lp-adapt,lp-kd"
TABLE = """
name = "own"
title = "Own"
domain = "art"
columns = "strong"
[rows.weak]
[rows.lp-kd]
"""
COMMANDS = {
    "tables": "tables --table TABLE --format csv",
    "compare": "compare lp-kd --against weak --domain art --resamples 100 --format csv",
    "curves": "plot curves --domain art --method lp-kd --output-dir OUT",
    "beta": "plot beta --domain art --method lp-adapt --output-dir OUT",
    "sensitivity": "plot sensitivity --method cpl --parameter tau --output-dir OUT",
    "prototypes": "neighbours prototypes --domain art --method lp-kd --format csv",
    "export": "export --domain art --method lp-kd --what predictions --output OUT",
}
REFUSING = ("beta", "prototypes", "export")


@dataclass(frozen=True, kw_only=True)
class States:
    """Caches that differ in the weak logits alone, and runs of them with their dates reversed.

    Attributes:
        folder: Holds a cache per state (``old``, ``new`` and ``never``, of which nobody made a
            run), ``both`` with runs of ``old`` dated after those of ``new``, and ``only-STATE``.
        spec: The spec file.
    """

    folder: Path
    spec: Path

    def words(self, command: str, out: Path, *, cache: str, results: str) -> list[str]:
        """A command line of :data:`COMMANDS` in full."""
        table = self.folder / "own.toml"
        places = {"TABLE": str(table), "OUT": str(out)}
        given = [places.get(word, word) for word in COMMANDS[command].split()]
        where = ("--cache-dir", self.folder / cache, "--results-dir", self.folder / results)
        return [*given, "--spec", str(self.spec), "--weak", "mine", *map(str, where)]


def _dated(results: Path, created: str) -> None:
    for record in find_runs(results):
        names = {n: getattr(record, n) for n in ("dataset", "domain", "method", "run_id")}
        file = run_path(results, **names) / "record.json"
        file.write_text(record_to_json(replace(record, created=created)), encoding="utf-8")


@pytest.fixture(scope="module")
def states(cached, w2s, tmp_path_factory) -> States:
    """Three caches, runs of two of them."""
    folder = tmp_path_factory.mktemp("states")
    (folder / "own.toml").write_text(TABLE, encoding="utf-8")
    index = read_index(index_path(cached.cache, "tiny", "art"))
    truth = np.eye(3, dtype=np.float32)[index.labels]
    noise = np.random.default_rng(0).normal(size=truth.shape).astype(np.float32)
    logits = {"old": noise, "new": 5 * truth, "never": noise + truth}
    for state, made in (("old", "2030"), ("new", "2020"), ("never", "")):
        home, results = folder / state, folder / f"only-{state}"
        shutil.copytree(cached.cache, home)
        np.savez(folder / f"{state}.npz", path=np.array(index.paths), logits=logits[state])
        asked = ("--spec", cached.spec, "--domain", "art", "--weak", "mine", "--cache-dir", home)
        told = w2s("extract", *asked, "--weak-logits", folder / f"{state}.npz")
        assert told.exit_code == 0, told.output
        for more in (("--method", METHODS, "--curves"), *(_tau(tau) for tau in (0.1, 1))):
            if made:
                told = w2s("train", *asked, "--seeds", 0, "--results-dir", results, *more)
                assert told.exit_code == 0, told.output
        if made:
            _dated(results, f"{made}-01-01T00:00:00+00:00")
            shutil.copytree(results, folder / "both", dirs_exist_ok=True)
    return States(folder=folder, spec=cached.spec)


def _tau(tau: float) -> tuple[str, ...]:
    return "--method", "cpl", "--set", f"tau={tau}"


@pytest.fixture
def shown(states, w2s, tmp_path):
    """Runs a command; what it prints and writes, without the paths, and its standard error."""

    def run(command: str, *, cache: str, results: str) -> tuple[str, dict[str, object], str]:
        out = tmp_path / f"{cache}-{results}"
        told = w2s(*states.words(command, out, cache=cache, results=results))
        assert told.exit_code == 0, told.output
        files = {file.name: file.read_bytes() for file in out.rglob("*.png")}
        files |= {f.name: pq.read_table(f).to_pylist() for f in out.rglob("images.parquet")}
        return told.stdout.replace(str(out), "OUT"), files, told.stderr

    return run


@pytest.mark.parametrize("cache", ["old", "new"])
@pytest.mark.parametrize("command", COMMANDS)
def test_runs_of_the_features_in_the_cache_are_shown(shown, command, cache):
    """Beside runs of other features, of an earlier or a later date, they are as if alone."""
    alone = shown(command, cache=cache, results=f"only-{cache}")
    among = shown(command, cache=cache, results="both")
    assert among[:2] == alone[:2]
    assert re.search(r"runs? of other settings left out, differing in .*\binputs\n", among[2])
    assert "than the cache holds now" not in among[2]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in REFUSING])
def test_without_such_features_in_the_cache_the_newest_runs_are_shown(shown, command):
    """Results that were moved elsewhere are shown as they are, and nothing is said of a cache."""
    alone = shown(command, cache="nowhere", results="only-old")
    among = shown(command, cache="nowhere", results="both")
    assert among[:2] == alone[:2]
    assert "than the cache holds now" not in among[2]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in REFUSING])
def test_runs_of_no_features_in_the_cache_are_shown_aloud(shown, command):
    """Where nobody ran the features that the cache holds, the newest are shown and that is said."""
    said = shown(command, cache="never", results="both")[2]
    assert "art: runs of other features than the cache holds now; to make current ones, " in said
    assert re.search(r"`w2s-cache train .*--domain art .*--weak mine .*--cache-dir .*/never ", said)


@pytest.mark.parametrize("command", ["tables", "compare"])
@pytest.mark.parametrize("form", ["text", "md"])
def test_it_is_said_below_the_numbers_too(states, w2s, tmp_path, command, form):
    """Whoever is given the table alone can read that the cache has moved on."""
    words = states.words(command, tmp_path, cache="never", results="both")
    told = w2s(*words, "--format", form, "--quiet")
    assert (told.exit_code, told.stderr) == (0, "")
    last = told.stdout.replace("\n  ", " ").splitlines()[-1]  # text goes on below, indented
    assert "runs of other features than the cache holds now" in last


def test_the_command_that_is_said_makes_current_runs(states, w2s, tmp_path):
    """Pasted, it leaves nothing to be said, and the table is of the features in the cache."""
    results = Path(shutil.copytree(states.folder / "both", tmp_path / "results"))
    words = states.words("tables", tmp_path, cache="never", results="both")
    words[-1] = str(results)
    before = w2s(*words)
    [train] = re.findall("to make current ones, run `(w2s-cache train [^`]+)`\n", before.stderr)
    assert w2s(*shlex.split(train)[1:]).exit_code == 0
    after = w2s(*words)
    assert after.exit_code == 0, after.output
    assert "than the cache holds now" not in after.stderr
    assert after.stdout != before.stdout


@pytest.mark.parametrize("command", REFUSING)
def test_what_needs_the_features_refuses_runs_of_others(states, w2s, tmp_path, command):
    """Nothing is joined to features it was not made of, and the command that helps is whole."""
    out = tmp_path / "out"
    told = w2s(*states.words(command, out, cache="never", results="both"))
    assert told.exit_code == 1, told.output
    assert "the features of tiny/art changed after the run was made" in told.stderr
    assert re.search(r"logits_key [0-9a-f]{12}, found logits_key [0-9a-f]{12}\.", told.stderr)
    assert re.search(r"Run `w2s-cache train --method lp-\S+ --domain art --seeds 0", told.stderr)
    assert not out.exists()


UNREADABLE = {
    "cut short": lambda text: text[: len(text) // 2],
    "no JSON": lambda _: b"\x00\xff",
    "empty": lambda _: b"",
    "of another schema": lambda text: text.replace(b"feature-set/1", b"feature-set/0"),
}


@pytest.mark.parametrize(
    ("command", "how"),
    [*(("tables", how) for how in UNREADABLE), ("compare", "empty"), ("sensitivity", "no JSON")],
)
def test_a_feature_set_that_cannot_be_read_is_named_and_the_runs_are_shown(
    states, w2s, tmp_path, command, how
):
    """As without a cache; what is wrong and the command that mends it are said, and it mends."""
    home = Path(shutil.copytree(states.folder / "old", tmp_path / "old"))
    file = home / "v1/tiny/art/sets/clip__mine.json"
    file.write_bytes(UNREADABLE[how](file.read_bytes()))
    words = [*states.words(command, tmp_path / "out", cache="old", results="only-old")]
    words[words.index(str(states.folder / "old"))] = str(home)
    told = w2s(*words)
    assert told.exit_code == 0, told.output
    without = w2s(*states.words(command, tmp_path / "none", cache="nowhere", results="only-old"))
    assert without.exit_code == 0
    assert "art: whether its runs are of the features that the cache holds cannot be told" in (
        told.stderr
    )
    assert f"{file} is not a feature set this version can use" in told.stderr
    [mend] = re.findall("to mend that, run `(w2s-cache extract [^`]+)`", told.stderr)
    filled = [str(states.folder / "old.npz") if w == "FILE" else w for w in shlex.split(mend)[1:]]
    assert w2s(*filled).exit_code == 0
    assert "cannot be told" not in w2s(*words).stderr


def test_sizes_of_a_domain_whose_feature_set_cannot_be_read_say_so(cached, w2s, copy, tmp_path):
    """Its skipped images cannot be counted: below the table, not in place of it."""
    (tmp_path / "sizes.toml").write_text('name = "sizes"\ntitle = "S"\ncontent = "sizes"\n')
    [file] = copy.glob("v1/tiny/art/sets/*.json")
    file.write_bytes(b"{")
    told = w2s(
        "tables", "--spec", cached.spec, "--table", tmp_path / "sizes.toml", "--cache-dir", copy
    )
    assert told.exit_code == 0, told.output
    assert "art: images that it skips are not counted" in told.stdout
    assert str(file) in told.stdout
    assert "photo" in told.stdout
