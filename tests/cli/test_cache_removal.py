"""`w2s-cache cache gc` and `rm`: nothing goes that was not shown and is not needed."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from w2s_cache.store.lock import writer_lock

SET = "v1/tiny/art/sets/clip__net.json"


def paths(folder: Path) -> set[str]:
    """Every file but locks."""
    files = (f for f in folder.rglob("*") if f.is_file() and f.suffix != ".lock")
    return {file.relative_to(folder).as_posix() for file in files}


def test_gc_shows_then_needs_an_answer(cache, copy):
    """Without --yes and a terminal nothing goes, the list is printed, the exit code is 1."""
    (copy / SET).unlink()
    before = paths(copy)
    dry = cache("gc", "--dry-run")
    assert dry.exit_code == 0
    refused = cache("gc")
    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    assert refused.stdout.splitlines() == dry.stdout.splitlines()[:-1]
    assert paths(copy) == before
    done = cache("gc", "--yes")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].endswith("removed")
    assert not (copy / "v1/tiny/art").exists()
    assert cache("verify").exit_code == 0
    assert cache("gc").stdout == "nothing to remove\n"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_gc_asks_at_a_terminal(copy, monkeypatch, answer):
    """At a terminal the answer decides."""
    (copy / SET).unlink()
    before = paths(copy)
    from click.testing import CliRunner

    from w2s_cache_cli.main import cli

    runner = CliRunner()
    with runner.isolation(input=f"{answer}\n"):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        with pytest.raises(SystemExit) as exit_:
            cli(["cache", "gc", "--cache-dir", str(copy)], standalone_mode=False)
    assert exit_.value.code == 0
    assert (paths(copy) == before) == (answer == "n")


def test_gc_keeps_what_is_young_or_being_written(cache, copy):
    """A writer's domain and fresh files stay, each with its reason."""
    (copy / SET).unlink()
    [image] = copy.glob("v1/tiny/art/image/*/")
    with writer_lock(image, timeout=0, on_wait=None):
        told = cache("gc", "--yes")
    assert told.stdout == "nothing to remove\n"
    assert "writes into" in told.stderr
    for file in copy.rglob("*"):
        os.utime(file)
    assert "minutes old" in cache("gc", "--dry-run").stderr
    assert cache("gc", "--dry-run", "--min-age", "0").stdout.endswith("would be removed\n")


def test_rm_by_name_keeps_what_is_shared(cache, copy):
    """One domain goes with its stores; the texts that the other domain needs stay."""
    told = cache("rm", "--dataset", "tiny", "--domain", "art", "--yes")
    assert told.exit_code == 0
    assert "kept: v1/tiny/text/" in told.stderr
    assert not (copy / "v1/tiny/art/sets").exists()
    assert list(copy.glob("v1/tiny/text/*/manifest.json"))
    assert cache("verify").exit_code == 0


def test_rm_by_path_stays_inside_the_cache(cache, copy, tmp_path, cached):
    """Folders outside, the home itself and links out of it are refused; nothing is removed."""
    outside = tmp_path / "precious"
    outside.mkdir()
    (copy / "v1/tiny/link").symlink_to(outside)
    before = paths(copy)
    for path in (outside, copy, copy / "v1/tiny/link", "v1/../..", cached.cache / "v1/tiny/art"):
        told = cache("rm", path, "--yes")
        assert told.exit_code == 1
        assert "is not removed" in told.stderr
    assert paths(copy) == before
    assert outside.is_dir()
    assert cache("rm", "v1/tiny/photo", "--yes").exit_code == 0
    assert not (copy / "v1/tiny/photo").exists()


@pytest.mark.parametrize("flags", [("--yes",), ("--dry-run",)])
def test_rm_of_what_is_needed_fails_and_names_the_command_that_removes_it(cache, copy, flags):
    """Exit code 1 and nothing removed, not even what else was named; the command then works."""
    [image] = copy.glob("v1/tiny/art/image/*/")
    path = image.relative_to(copy).as_posix()
    before = paths(copy)
    told = cache("rm", path, "v1/tiny/photo", *flags)
    assert told.exit_code == 1
    assert f"{path} is not removed, and nothing else is" in told.stderr
    assert paths(copy) == before
    command = re.search(r"run `w2s-cache cache (.*?)`", told.stderr)
    assert command is not None
    words = shlex.split(command[1])
    assert words[:3] == ["rm", SET, path]
    assert cache(*words[:3], "--yes").exit_code == 0
    assert not (copy / SET).exists()
    assert not image.exists()


def test_rm_needs_something_to_remove(cache):
    """No name at all is a usage error, and so are paths and names together."""
    assert cache("rm", "--yes").exit_code == 2
    assert cache("rm", "v1/tiny", "--domain", "art").exit_code == 2
