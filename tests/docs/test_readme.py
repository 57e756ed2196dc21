"""The README's commands do what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(heading: str) -> list[list[str]]:
    """Every `w2s-cache` line of the shell blocks below a heading, comments dropped."""
    text = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("w2s-cache")]


def environment(place: Path) -> dict[str, str]:
    """Of a stranger whose cache is in ``place``."""
    return {**os.environ, "W2S_CACHE_HOME": str(place / "cache"), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stranger is."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def ran(place: Path) -> list[subprocess.CompletedProcess[str]]:
    """The commands of the first section, one after the other, on the embedded data set."""
    program = [sys.executable, "-m", "w2s_cache_cli"]
    return [
        subprocess.run(
            [*program, *command[1:]],
            cwd=place,
            env=environment(place),
            capture_output=True,
            text=True,
            check=False,
        )
        for command in commands("Two minutes")
    ]


def test_the_first_commands_succeed(ran: list[subprocess.CompletedProcess[str]]) -> None:
    """A stranger who types them gets no error."""
    assert [done.stderr for done in ran if done.returncode] == []
    assert [done.args[3] for done in ran] == ["extract", "train", "tables", "ls"]


def test_the_first_commands_show_a_table(ran: list[subprocess.CompletedProcess[str]]) -> None:
    """The table has the trained method, and the domain that was extracted as its column."""
    extracted, trained, table, listing = (done.stdout for done in ran)
    assert "real: 2,800 images" in extracted
    assert trained.startswith("real ")
    assert re.search(r"CPL +(– +)*\d+\.\d", table)
    assert "2,800 rows" in listing


def test_the_python_example_runs(ran: list[subprocess.CompletedProcess[str]], place: Path) -> None:
    """The lines of the first section, typed into Python, read what was extracted before them."""
    [program] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    shown = "print(*features.shape, *weak_logits.shape, len(labels), train.sum(), len(zero_shot))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{shown}"],
        cwd=place,
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran[0].returncode == 0
    assert done.stderr == ""
    assert done.stdout.split() == ["2800", "128", "2800", "40", "2800", "1200", "2800"]


def test_every_command_of_the_readme_exists() -> None:
    """Commands that need data of one's own at least parse: their options are real."""
    for command in commands("DomainNet, with a GPU"):
        first = command[1 : command.index("&&")] if "&&" in command else command[1:]
        name = first[:2] if first[0] == "data" else first[:1]
        helped = subprocess.run(
            [sys.executable, "-m", "w2s_cache_cli", *name, "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for option in (word for word in first if word.startswith("--")):
            assert option in helped, (first, option)
