"""The comparison with other tools claims only what a test shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][1:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def functions(file: Path) -> set[str]:
    """The names of a file's functions."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "name"), NAMED.findall(PAGE))
def test_every_named_test_exists(file: str, name: str) -> None:
    """A test that was renamed or removed takes its claim with it."""
    assert name.startswith("test_")
    assert name in functions(ROOT / file)


def test_every_row_that_claims_something_names_a_test() -> None:
    """Fifteen features, each with at least one test beside "yes" or "partly"."""
    assert len(ROWS) == 15
    for feature, here, shown, *_ in ROWS:
        assert here == "yes" or here.startswith(("partly: ", "no")), feature
        assert here.startswith("no") or NAMED.findall(shown), feature


def test_others_are_counted_among_fourteen() -> None:
    """Each row counts no more tools than there are."""
    named = PAGE.partition("November 2026: ")[2].partition(". Many")[0]
    assert len(re.split(r", | and ", " ".join(named.split()))) == 14
    assert all(0 <= int(wholly) + int(in_part) <= 14 for *_, wholly, in_part in ROWS)


def test_the_readme_leads_to_it() -> None:
    """A comparison that nobody finds is none."""
    assert "(docs/peers.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
