"""What the files of the project say about themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from w2s_cache.methods import METHODS

ROOT = Path(__file__).parents[2]
FOLDERS = ("w2s_cache", "cli", "cache_specs", "tests", "docs", "tools", "benchmarks")
TEXTS = {".py", ".toml", ".md", ".json", ".txt", ".csv", ".tex", ".yml", ".yaml"}
HOMES = re.compile(r"(?<![\w.-])/(?:home|Users|work|mnt|root)/[\w.-]+")


def texts() -> list[Path]:
    """All text files of the project."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    return [p for p in (*ROOT.glob("*"), *inside) if p.is_file() and p.suffix in TEXTS]


def test_no_file_names_a_path_of_one_machine():
    """A checkout works wherever it lies: no file names somebody's folders."""
    named = {
        str(path.relative_to(ROOT)): found
        for path in texts()
        if (found := HOMES.findall(path.read_text(encoding="utf-8")))
    }
    assert named == {}


def test_every_test_states_its_law():
    """Every test function has a docstring."""
    mute = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        methods = [node for top in body if isinstance(top, ast.ClassDef) for node in top.body]
        for node in (*body, *methods):
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            if is_test and not ast.get_docstring(node):
                mute.append(f"{path.relative_to(ROOT)}:{node.name}")
    assert mute == []


@pytest.mark.parametrize("name", METHODS)
def test_the_readme_lists_every_method(name):
    """A method that nobody can find does not exist."""
    rows = [
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    assert any(f"`{name}`" in row for row in rows), f"add a row for `{name}` to README.md"


def test_markdown_links_lead_somewhere():
    """Every relative link of the project's own Markdown names a file that exists."""
    link = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
    pages = [path for path in texts() if path.suffix == ".md"]
    links = {path: link.findall(path.read_text(encoding="utf-8")) for path in pages}
    broken = [
        f"{path.relative_to(ROOT)} → {target}"
        for path, targets in links.items()
        for target in targets
        if not (path.parent / target).exists()
    ]
    assert broken == []
